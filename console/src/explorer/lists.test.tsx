// Lists of any kind: live, narrowed, refused, and of a cluster that is away.

import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { MockHub } from "../../mock/hub.ts";
import { status } from "../../mock/kubernetes/call.ts";
import { open } from "../test/console";

const root = "/clusters/acme.production-01/explorer";
const small = () => new MockHub({ clusters: 8, pods: 2 });
const away = () => status(503, "ServiceUnavailable", "no agent of cluster `acme.production-01` is connected");

test("the explorer begins with pods, in the server's own columns", async () => {
  const { address } = open(root, small());
  expect(await screen.findByText("7 objects")).toBeVisible();
  expect(address()).toBe(`${root}/pods`);
  const titles = screen.getAllByRole("columnheader").map(({ textContent }) => textContent);
  expect(titles).toEqual(["Name", "Namespace", "Ready", "Status", "Restarts", "Created"]);
});

test("what is made and deleted shows without anything being loaded anew", async () => {
  const { hub } = open(`${root}/configmaps`, small());
  expect(await screen.findByRole("link", { name: "settings" })).toBeVisible();
  const made = hub.cluster.put({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "new-one", namespace: "shop" },
  });
  expect(await screen.findByRole("link", { name: "new-one" })).toBeVisible();
  hub.cluster.remove(made);
  await waitFor(() => expect(screen.queryByRole("link", { name: "new-one" })).toBeNull());
});

test("namespace, name and labels stand in the address and narrow the list", async () => {
  const { user, address } = open(`${root}/pods`, small());
  await screen.findByText("7 objects");
  await user.selectOptions(await screen.findByRole("combobox", { name: "Namespace" }), "shop");
  expect(await screen.findByText("5 objects")).toBeVisible();
  await user.type(screen.getByLabelText("Label selector"), "app=web{Enter}");
  expect(await screen.findByText("3 objects")).toBeVisible();
  await user.type(screen.getByLabelText("Search by name"), "k7r");
  expect(await screen.findByText("1 of 3 objects")).toBeVisible();
  expect(address()).toBe(`${root}/pods?namespace=shop&labels=app%3Dweb&name=k7r`);
});

test("a selector that the server does not understand is told as it says", async () => {
  open(`${root}/pods?labels=!!`, small());
  expect(await screen.findByText(/unable to parse requirement/)).toBeVisible();
});

test("whoever may not list a kind is told, and whoever may not list namespaces names one", async () => {
  const hub = small();
  hub.cluster.refusal = (_, path) =>
    /^\/api\/v1\/(pods|namespaces)$/.test(path)
      ? status(403, "Forbidden", `${path} is forbidden`)
      : undefined;
  const { user } = open(`${root}/pods`, hub);
  expect(await screen.findByText("/api/v1/pods is forbidden")).toBeVisible();
  await user.type(await screen.findByRole("textbox", { name: "Namespace" }), "shop{Enter}");
  expect(await screen.findByText("5 objects")).toBeVisible();
});

test("a cluster that goes away leaves its last known state, marked, and catches up", async () => {
  const { hub, user } = open(`${root}/configmaps`, small());
  await screen.findByRole("link", { name: "settings" });
  hub.cluster.refusal = away;
  hub.cluster.cut();
  expect(await screen.findByText(/You see the last known state/)).toBeVisible();
  expect(screen.getByRole("link", { name: "settings" })).toBeVisible();
  hub.cluster.refusal = undefined;
  await user.click(screen.getByRole("button", { name: "Try now" }));
  await waitFor(() => expect(screen.queryByText(/You see the last known state/)).toBeNull());
});

test("a cluster that never answered shows what the fleet knows of it", async () => {
  const hub = small();
  hub.cluster.refusal = away;
  hub.inventory.patch("acme.production-01", { state: "Lost", nodes: { total: 3, ready: 2 } });
  open(`${root}/pods`, hub);
  expect(await screen.findByText("The cluster does not answer")).toBeVisible();
  expect(screen.getByText("2 of 3 nodes were ready")).toBeVisible();
});

test("favourites are kept", async () => {
  const { user } = open(`${root}/configmaps`, small());
  await user.click(await screen.findByRole("button", { name: "ConfigMaps: a favourite" }));
  const favourites = screen.getByRole("region", { name: "Favourites" });
  expect(within(favourites).getByRole("link", { name: "ConfigMaps" })).toBeInTheDocument();
});

test("the palette knows the kinds of the cluster that is open, by their short names, too", async () => {
  const { user, address } = open(`${root}/pods`, small());
  await screen.findByText("7 objects");
  await user.keyboard("{Control>}k{/Control}");
  await user.type(await screen.findByRole("combobox", { name: "Search" }), "pdb");
  await screen.findByRole("option", { name: /PodDisruptionBudgets/ });
  await user.keyboard("{Enter}");
  await waitFor(() => expect(address()).toBe(`${root}/poddisruptionbudgets.policy`));
});
