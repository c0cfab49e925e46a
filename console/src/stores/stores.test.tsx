// Data stores and moves between them; events and certificates of a control plane.

import { screen, waitFor, within } from "@testing-library/react";
import axe from "axe-core";
import { expect, test } from "vitest";
import { MockHub } from "../../mock/hub.ts";
import { problem } from "../../mock/world.ts";
import { warningOf } from "../clusters/detail/certificates";
import { stepsOf } from "../clusters/detail/moving";
import { open } from "../test/console";
import { healthOf, troubleOf } from "./stores";

async function barriers(): Promise<string[]> {
  const { violations } = await axe.run(document.body, { rules: { "color-contrast": { enabled: false } } });
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

test("stores say how they are and how full", async () => {
  const { user, address } = open("/datastores");
  const table = await screen.findByRole("table", { name: "Data stores" });
  expect(await within(table).findByText("connection refused; it is tried again")).toBeVisible();
  expect(within(table).getByText(/\/ 40/)).toBeVisible();
  await user.click(within(table).getByRole("link", { name: "etcd-a" }));
  await waitFor(() => expect(address()).toBe("/datastores/etcd-a"));
  expect(await screen.findByText("3 of 3 members answer")).toBeVisible();
  expect(screen.queryByText("DataStoreAllowedDeletion")).toBeNull();
});

test("a cluster is moved to another store, followed, and called back", async () => {
  const hub = new MockHub({ clusters: 8 });
  hub.inventory.patch("acme.production-01", { dataStore: "etcd-a", state: "Ready" });
  const { user } = open("/clusters/acme.production-01", hub);
  await user.click(await screen.findByRole("button", { name: "More actions" }));
  await user.click(await screen.findByRole("menuitem", { name: "Move to another data store" }));
  const dialog = await screen.findByRole("alertdialog");
  expect(await within(dialog).findByRole("option", { name: "old, MySQL, not ready" })).toBeDisabled();
  expect(within(dialog).queryByRole("option", { name: /^etcd-a/ })).toBeNull();
  expect(within(dialog).getByRole("button", { name: "Move" })).toBeDisabled();
  expect(await barriers()).toEqual([]);
  await user.selectOptions(within(dialog).getByLabelText("To"), "gold");
  await user.click(within(dialog).getByRole("button", { name: "Move" }));
  const section = await screen.findByRole("region", { name: "Moving from etcd-a to gold" });
  expect(hub.changes[0]?.body).toEqual({ dataStore: "gold" });
  expect(within(section).getAllByText("(under way)")).toHaveLength(1);
  await user.click(within(section).getByRole("button", { name: "Call it off" }));
  await waitFor(() => expect(screen.queryByText(/Moving from/)).toBeNull());
  expect(hub.changes[1]?.body).toEqual({ dataStore: "etcd-a" });
});

test("who may not see stores is told so where a move is asked for", async () => {
  const hub = new MockHub({ clusters: 8 });
  hub.refusals.set("GET /api/v1/datastores", problem(403, "denied", "ask for the role platform-admin"));
  const { user } = open("/clusters/acme.production-01", hub);
  await user.click(await screen.findByRole("button", { name: "More actions" }));
  await user.click(await screen.findByRole("menuitem", { name: "Move to another data store" }));
  const dialog = await screen.findByRole("alertdialog");
  expect(await within(dialog).findByText("ask for the role platform-admin")).toBeVisible();
});

test("events of the control plane are told with what they are about", async () => {
  open("/clusters/acme.production-01/events");
  expect(await screen.findByText("BackOff")).toBeVisible();
  expect(screen.getByText(/4 times/)).toBeVisible();
  expect(screen.getAllByText("Pod production-01-7d9f8b6c5-x2x4z")).toHaveLength(2);
});

test("certificates that end soon are marked", async () => {
  open("/clusters/acme.production-01");
  const section = await screen.findByRole("region", { name: "Certificates" });
  expect(await within(section).findByText("API server")).toBeVisible();
  expect(within(section).getAllByText("Ends soon")).toHaveLength(1);
  const now = Date.parse("2026-11-30T12:00:00Z");
  expect(warningOf("2026-11-30T11:00:00Z", now)).toBe("Ended");
  expect(warningOf("2027-11-30T11:00:00Z", now)).toBeUndefined();
});

test("how a move and a store stand is said in the words of the operator", () => {
  const migration = { from: "a", to: "b", phase: "Frozen", started: "2026-11-30T12:00:00Z" } as const;
  expect(stepsOf(migration, "1200 keys are compared").map(({ state }) => state)).toEqual([
    "done",
    "done",
    "now",
    "later",
  ]);
  const conditions = [
    { type: "kamaji.clastix.io/DataStoreAllowedDeletion", status: "False", reason: "InUse", message: "used" },
    { type: "kamaji.clastix.io/DataStoreValidation", status: "True", reason: "Valid", message: "" },
    { type: "SpaceLeft", status: "False", reason: "Full", message: "it is full" },
  ];
  expect(healthOf({ conditions }).map(({ type }) => type)).toEqual(["DataStoreValidation", "SpaceLeft"]);
  expect(troubleOf({ conditions })).toBe("it is full");
});
