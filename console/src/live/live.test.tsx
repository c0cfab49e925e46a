// Clusters that change while they are looked at, and a hub that goes away and comes back.

import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { MockHub } from "../../mock/hub.ts";
import { open } from "../test/console";
import { backoff } from "./backoff";

const few = () => new MockHub({ clusters: 8 });

const row = async (name: string) => {
  const link = await screen.findByRole("link", { name });
  const found = link.closest("tr");
  expect(found).not.toBeNull();
  return within(found as HTMLElement);
};

test("a change shows without anything being loaded anew", async () => {
  const { hub } = open("/clusters", few());
  expect((await row("production-01")).getByText("Ready")).toBeVisible();
  hub.inventory.patch("acme.production-01", { state: "Sleeping" });
  expect(await (await row("production-01")).findByText("Sleeping")).toBeVisible();
});

test("what is gone goes, what is new comes", async () => {
  const { hub } = open("/clusters", few());
  await row("production-01");
  hub.inventory.remove("acme.production-01");
  await waitFor(() => expect(screen.queryByRole("link", { name: "production-01" })).toBeNull());
  hub.inventory.set({
    id: "acme.new",
    name: "new",
    kind: "hosted",
    state: "Ready",
    conditions: [],
    labels: {},
  });
  await row("new");
});

test("the hub goes away: what is known stays, a banner says so, and it catches up", async () => {
  const { hub, user } = open("/clusters", few());
  await row("production-01");
  hub.isAway = true;
  hub.inventory.cut();
  await screen.findByText(/The hub does not answer/);
  await row("production-01");
  hub.inventory.rows.delete("acme.production-01");
  hub.isAway = false;
  await user.click(screen.getByRole("button", { name: "Try now" }));
  await waitFor(() => expect(screen.queryByText(/The hub does not answer/)).toBeNull());
  expect(screen.queryByRole("link", { name: "production-01" })).toBeNull();
});

test("changes that were lost are fetched", async () => {
  const { hub } = open("/clusters", new MockHub({ clusters: 3 }));
  await screen.findByText("3 clusters");
  hub.inventory.rows.delete("acme.production-01");
  hub.inventory.reset();
  await screen.findByText("2 clusters");
});

test("each failure doubles the wait, up to half a minute, and no two pages wait the same", () => {
  expect([1, 2, 3, 10].map((failures) => backoff(failures, 1))).toEqual([1000, 2000, 4000, 30_000]);
  expect(backoff(1, 0)).toBe(500);
});
