// Making, importing and running one cluster.

import { screen, waitFor, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { MockHub } from "../../mock/hub.ts";
import { problem } from "../../mock/world.ts";
import { open } from "../test/console";

test("a name and a tenant are enough to make a cluster", async () => {
  const { hub, user, address } = open("/clusters/create");
  await user.type(await screen.findByLabelText("Name"), "night-shift");
  await user.selectOptions(screen.getByLabelText("Tenant"), "borealis");
  await user.click(screen.getByRole("button", { name: "Create" }));
  await waitFor(() => expect(address()).toBe("/clusters/borealis.night-shift"));
  const body = {
    name: "night-shift",
    tenant: "borealis",
    version: "v1.36.3",
    replicas: 2,
    serviceType: "LoadBalancer",
    labels: {},
  };
  expect(hub.changes[0]?.body).toEqual(body);
  hub.inventory.patch("borealis.night-shift", { state: "Sleeping" });
  expect(await screen.findByText("Sleeping")).toBeVisible();
});

test("a cluster that was made is never said to be missing, however late the hub tells of it", async () => {
  const { hub, user, address } = open("/clusters/create");
  await user.type(await screen.findByLabelText("Name"), "late");
  await user.selectOptions(screen.getByLabelText("Tenant"), "acme");
  hub.refusals.set("POST /api/v1/clusters", Response.json({ id: "acme.late" }, { status: 201 }));
  await user.click(screen.getByRole("button", { name: "Create" }));
  await waitFor(() => expect(address()).toBe("/clusters/acme.late"));
  expect(await screen.findByRole("status", { name: "The cluster is on its way" })).toBeVisible();
  expect(screen.queryByText("There is no such cluster")).toBeNull();
  const row = { id: "acme.late", name: "late", kind: "hosted", state: "Ready", conditions: [], labels: {} };
  hub.inventory.set(row as Parameters<typeof hub.inventory.set>[0]);
  expect(await screen.findByRole("heading", { level: 1, name: "late" })).toBeVisible();
  hub.inventory.remove("acme.late");
  expect(await screen.findByText("There is no such cluster")).toBeVisible();
});

test("what is wrong is told at its field, before the hub is asked", async () => {
  const { hub, user } = open("/clusters/create");
  await user.type(await screen.findByLabelText("Name"), "Night Shift");
  await user.click(screen.getByRole("button", { name: "Create" }));
  expect(await screen.findByText(/Small letters, digits and dashes/)).toBeVisible();
  expect(screen.getByText("Choose whose it is.")).toBeVisible();
  expect(screen.getByLabelText("Name")).toHaveAttribute("aria-invalid", "true");
  expect(hub.changes).toHaveLength(0);
});

test("an answer that was lost makes no second cluster: the key stays while the form does", async () => {
  const { hub, user } = open("/clusters/create");
  await user.type(await screen.findByLabelText("Name"), "twice");
  await user.selectOptions(screen.getByLabelText("Tenant"), "acme");
  const key = "POST /api/v1/clusters";
  const sent: (string | null)[] = [];
  const { fetch } = hub;
  globalThis.fetch = (async (request: Request) => {
    if (request.method === "POST") {
      sent.push(request.headers.get("idempotency-key"));
    }
    return fetch(request);
  }) as typeof globalThis.fetch;
  for (let tries = 1; tries <= 2; tries += 1) {
    hub.refusals.set(key, new Response("", { status: 502 }));
    await user.click(screen.getByRole("button", { name: "Create" }));
    await waitFor(() => expect(sent).toHaveLength(tries));
    await waitFor(() => expect(screen.getByRole("button", { name: "Create" })).toBeEnabled());
  }
  expect(sent[0]).toBe(sent[1]);
  await user.type(screen.getByLabelText("Name"), "-or-not");
  hub.refusals.set(key, problem(422, "invalid", "quota"));
  await user.click(screen.getByRole("button", { name: "Create" }));
  expect(await screen.findByText("quota")).toBeVisible();
  expect(sent[2]).not.toBe(sent[0]);
});

test("an import shows its one line, then how far it is", async () => {
  const { hub, user, address } = open("/clusters/import");
  await user.type(await screen.findByLabelText("Name"), "branch");
  await user.click(screen.getByRole("button", { name: "Go on" }));
  expect(await screen.findByText(/kubectl apply -f -/)).toBeVisible();
  expect(address()).toBe("/clusters/import?cluster=branch");
  const steps = screen.getByRole("list", { name: "Progress" });
  expect(within(steps).getAllByText("(under way)")).toHaveLength(1);
  hub.inventory.patch("branch", { state: "Connecting" });
  await waitFor(() => expect(within(steps).getAllByText("(done)")).toHaveLength(2));
  hub.inventory.patch("branch", { state: "Ready" });
  expect(await screen.findByRole("link", { name: "Open the cluster" })).toHaveAttribute(
    "href",
    "/clusters/branch",
  );
});

test("a cluster is deleted only after its name was typed", async () => {
  const { hub, user, address } = open("/clusters/acme.production-01");
  await user.click(await screen.findByRole("button", { name: "More actions" }));
  await user.click(await screen.findByRole("menuitem", { name: "Delete" }));
  const dialog = await screen.findByRole("alertdialog", { name: "Delete production-01?" });
  expect(within(dialog).getByRole("button", { name: "Delete" })).toBeDisabled();
  await user.type(within(dialog).getByLabelText("Type production-01 to confirm"), "production-01");
  await user.click(within(dialog).getByRole("button", { name: "Delete" }));
  await waitFor(() => expect(address()).toBe("/clusters"));
  expect(hub.inventory.rows.has("acme.production-01")).toBe(false);
});

test("a cluster is given to another tenant, and says that it is on its way", async () => {
  const { hub, user, address } = open("/clusters/acme.production-01");
  await user.click(await screen.findByRole("button", { name: "More actions" }));
  await user.click(await screen.findByRole("menuitem", { name: "Give to another tenant" }));
  const tenant = await screen.findByLabelText("Tenant");
  expect(within(tenant).queryByRole("option", { name: "acme" })).toBeNull();
  await user.selectOptions(tenant, "borealis");
  await user.click(screen.getByRole("button", { name: "Give it away" }));
  await waitFor(() => expect(address()).toBe("/clusters"));
  expect(hub.changes[0]?.body).toEqual({ tenant: "borealis", name: "production-01" });
  expect((await screen.findAllByText("Changing tenant"))[0]).toBeVisible();
});

test("an upgrade says before what will happen, and what cannot", async () => {
  const hub = new MockHub({ clusters: 8 });
  hub.inventory.patch("acme.production-01", { version: "v1.35.4", state: "Ready" });
  const { user } = open("/clusters/acme.production-01", hub);
  await user.click(await screen.findByRole("button", { name: "Upgrade" }));
  const dialog = await screen.findByRole("alertdialog");
  const version = within(dialog).getByLabelText("New version");
  expect(version).toHaveValue("v1.36.3");
  expect(within(dialog).getByText(/one after the other/)).toBeVisible();
  await user.clear(version);
  await user.type(version, "v1.34.0");
  expect(within(dialog).getByText(/cannot go back/)).toBeVisible();
  expect(within(dialog).getByRole("button", { name: "Upgrade" })).toBeDisabled();
});

test("an upgrade begins with the newest version that can be reached in one step and that the tenant may have", async () => {
  const hub = new MockHub({ clusters: 8 });
  hub.objects.write("tenants", "acme", { quota: { versions: ["v1.35", "v1.36"] } });
  hub.inventory.patch("acme.production-01", { version: "v1.34.2", state: "Ready" });
  const { user } = open("/clusters/acme.production-01", hub);
  await user.click(await screen.findByRole("button", { name: "Upgrade" }));
  const dialog = await screen.findByRole("alertdialog");
  await waitFor(() => expect(within(dialog).getByLabelText("New version")).toHaveValue("v1.35.4"));
  expect(within(dialog).getByText(/Any of v1.35 to v1.36 may be typed/)).toBeVisible();
});

test("a tenant that is chosen says which versions it may have", async () => {
  const hub = new MockHub();
  hub.objects.write("tenants", "borealis", { quota: { versions: ["v1.35"] } });
  const { user } = open("/clusters/create", hub);
  expect(await screen.findByText(/Any of v1.30 to v1.36 may be typed/)).toBeVisible();
  await user.selectOptions(screen.getByLabelText("Tenant"), "borealis");
  expect(await screen.findByText(/Any of v1.35 may be typed/)).toBeVisible();
});

test("a refusal is told where it was asked", async () => {
  const { hub, user } = open("/clusters/acme.production-01");
  await user.click(await screen.findByRole("button", { name: "Put to sleep" }));
  hub.refusals.set(
    "POST /api/v1/clusters/{name}/sleep",
    problem(403, "denied", "ask for the role cluster-owner"),
  );
  const dialog = await screen.findByRole("alertdialog");
  await user.click(within(dialog).getByRole("button", { name: "Put to sleep" }));
  expect(await within(dialog).findByText("ask for the role cluster-owner")).toBeVisible();
});

test("a kubeconfig is saved under the cluster's id", async () => {
  const saved: string[] = [];
  URL.createObjectURL = vi.fn(() => "blob:x");
  URL.revokeObjectURL = vi.fn();
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function save(this: HTMLAnchorElement) {
    saved.push(this.download);
  });
  const { user } = open("/clusters/acme.production-01");
  await user.click(await screen.findByRole("button", { name: "Download kubeconfig" }));
  await waitFor(() => expect(saved).toEqual(["acme.production-01.yaml"]));
});
