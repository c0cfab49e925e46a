// What all pages have in common: no barrier, no script of anybody else, the palette.

import { screen, waitFor } from "@testing-library/react";
import axe from "axe-core";
import { describe, expect, test, vi } from "vitest";
import { MockHub } from "../../mock/hub.ts";
import { open } from "../test/console";

const hostile = `<img src=x onerror="globalThis.hacked()">"'{{7*7}}`;

const pages: [path: string, heading: string][] = [
  ["/", "Overview"],
  ["/clusters", "Clusters"],
  ["/clusters/create", "Create a cluster"],
  ["/clusters/import", "Import a cluster"],
  ["/clusters/import?cluster=acme-edge-01", "Import a cluster"],
  ["/clusters/acme.production-01", "production-01"],
  ["/clusters/acme.production-01/backups", "production-01"],
  ["/clusters/acme.production-01/events", "production-01"],
  ["/clusters/acme.production-01/access", "production-01"],
  ["/clusters/acme.production-01/activity", "production-01"],
  ["/clusters/acme.production-01/explorer/pods", "Pods"],
  ["/clusters/acme.production-01/explorer/nothing.example.com", "nothing.example.com"],
  ["/clusters/acme.production-01/explorer/create", "Create from YAML"],
  ["/clusters/acme.production-01/explorer/deployments.apps/shop/web", "web"],
  ["/clusters/acme.production-01/explorer/configmaps/shop/settings/yaml", "settings"],
  ["/clusters/acme.production-01/explorer/pods/shop/web-5d8f7c9b6-k7r9t", "web-5d8f7c9b6-k7r9t"],
  ["/clusters/acme.production-01/explorer/pods/shop/web-5d8f7c9b6-k7r9t/logs", "web-5d8f7c9b6-k7r9t"],
  ["/clusters/acme.production-01/explorer/pods/shop/web-5d8f7c9b6-k7r9t/shell", "web-5d8f7c9b6-k7r9t"],
  ["/clusters/acme.production-01/explorer/nodes/-/worker-1", "worker-1"],
  ["/datastores", "Data stores"],
  ["/datastores/etcd-a", "etcd-a"],
  ["/audit", "Audit"],
  ["/tenants", "Tenants"],
  ["/tenants/new", "Make a tenant"],
  ["/tenants/acme-labs", "acme-labs"],
  ["/tenants/acme/edit", "Edit acme"],
  ["/projects", "Projects"],
  ["/projects/checkout", "checkout"],
  ["/projects/checkout/edit", "Edit checkout"],
  ["/roles", "Roles"],
  ["/roles/deployer", "deployer"],
  ["/roles/tenant-owner", "tenant-owner"],
  ["/roles/deployer/edit", "Edit deployer"],
  ["/grants", "Grants"],
  ["/grants/new?tenant=acme", "Give a role"],
  ["/access?user=eli&verb=delete&resource=clusters&kind=tenant&place=borealis", "Who may do what?"],
  ["/users", "Users"],
  ["/users/invite", "Invite somebody"],
  ["/users/dana", "dana"],
  ["/users/dana/edit", "Edit dana"],
  ["/providers", "Identity providers"],
  ["/providers/company", "company"],
  ["/providers/directory/edit", "Edit directory"],
  ["/account", "Your account"],
  ["/templates", "Templates"],
  ["/templates/small", "small"],
  ["/templates/new", "Write a template"],
  ["/clusters/create?template=small", "Create a cluster"],
  ["/metering?tenant=acme", "Metering"],
  ["/settings", "Settings"],
  ["/?first-steps=shown", "Overview"],
  ["/device?code=BCDF-GHJK", "Let a program in"],
  ["/nowhere", "There is no such page"],
];

/** Colours need a browser. */
const rules = { "color-contrast": { enabled: false } };

async function barriers(): Promise<string[]> {
  const { violations } = await axe.run(document.body, { rules });
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

describe.each(pages)("%s", (path, heading) => {
  test("has no barrier", async () => {
    open(path);
    await screen.findByRole("heading", { name: heading, level: 1 });
    await waitFor(() => expect(screen.queryAllByRole("status", { name: /on its way/ })).toHaveLength(0));
    expect(await barriers()).toEqual([]);
  });
});

test("signing in has no barrier", async () => {
  open("/", new MockHub({ user: "" }));
  await screen.findByRole("link", { name: "Company sign-in" });
  expect(await barriers()).toEqual([]);
});

test("hostile names are text wherever they are shown", async () => {
  const hacked = vi.fn();
  Object.assign(globalThis, { hacked });
  const hub = new MockHub({ clusters: 3 });
  hub.inventory.set({
    id: "evil",
    name: hostile,
    kind: "imported",
    tenant: hostile,
    state: "Lost",
    version: hostile,
    conditions: [{ type: hostile, status: "False", reason: hostile, message: hostile }],
    labels: { [hostile]: hostile },
  });
  for (const path of ["/", "/clusters", "/clusters/evil"]) {
    const before = document.body;
    open(path, hub);
    await waitFor(() => expect(before.textContent).toContain(hostile));
  }
  expect(document.querySelector("img[src=x]")).toBeNull();
  expect(hacked).not.toHaveBeenCalled();
});

test("the palette finds a cluster by its name and opens it", async () => {
  const { user, address } = open("/");
  await screen.findByText("24 clusters");
  await user.keyboard("{Control>}k{/Control}");
  await user.type(await screen.findByRole("combobox", { name: "Search" }), "production-02");
  await screen.findByRole("option", { name: /production-02/ });
  await user.keyboard("{Enter}");
  await waitFor(() => expect(address()).toBe("/clusters/cobalt.production-02"));
});

test("the first Tab leads past the navigation", async () => {
  const { user } = open("/");
  await screen.findByText("24 clusters");
  await user.tab();
  expect(screen.getByRole("link", { name: "Skip to content" })).toHaveFocus();
});

test("a chosen theme holds", async () => {
  const { user } = open("/");
  await user.click(await screen.findByRole("button", { name: "Signed in as admin" }));
  await user.click(await screen.findByRole("menuitem", { name: "Dark" }));
  expect(document.documentElement).toHaveAttribute("data-theme", "dark");
});
