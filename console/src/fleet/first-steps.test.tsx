// The first steps: what is done is ticked, they go away and come back, and only those see them who set the hub up.

import { cleanup, screen, waitFor, within } from "@testing-library/react";
import axe from "axe-core";
import { expect, test } from "vitest";
import { MockHub } from "../../mock/hub.ts";
import { open } from "../test/console";
import { stepsOf } from "./first-steps";

/** As it is after the installation: one user, who may do everything. */
function empty(): MockHub {
  const hub = new MockHub({ clusters: 0 });
  for (const noun of ["tenants", "providers", "projects"]) {
    hub.objects.of(noun).clear();
  }
  const users = hub.objects.of("users");
  for (const name of users.keys()) {
    if (name !== "admin") {
      users.delete(name);
    }
  }
  return hub;
}

const list = async () => within(await screen.findByRole("region", { name: /^First steps/ }));

test("the first user of an empty hub sees what to do, ticked as far as it is done", async () => {
  const hub = empty();
  open("/", hub);
  const steps = await list();
  const told = steps.getAllByRole("listitem").map((item) => item.querySelector("p")?.textContent);
  expect(told).toEqual([
    "Make your sign-in safe (done)",
    "Make a tenant (to do)",
    "Bring in a cluster (to do)",
    "Invite people (to do)",
    "Add an identity provider (to do)",
  ]);
  expect(steps.getByRole("link", { name: "Make a tenant" })).toHaveAttribute("href", "/tenants/new");
  expect(screen.queryByText("There are no clusters yet")).toBeNull();
  const rules = { "color-contrast": { enabled: false } };
  const { violations } = await axe.run(document.body, { rules });
  expect(violations.map(({ id }) => id)).toEqual([]);
});

test("what was made since is ticked when one comes back", async () => {
  const hub = empty();
  const { user } = open("/", hub);
  await list();
  hub.objects.write("tenants", "acme", { state: "Active" });
  await user.click(screen.getByRole("link", { name: "Clusters" }));
  await screen.findByRole("heading", { name: "Clusters", level: 1 });
  await user.click(screen.getByRole("link", { name: "Overview" }));
  await waitFor(async () => {
    expect((await list()).getByText("Make a tenant", { selector: "p" })).toHaveTextContent("(done)");
  });
});

test("put away, they stay away until somebody asks for them", async () => {
  const hub = empty();
  const first = open("/", hub);
  await first.user.click((await list()).getByRole("button", { name: "Put away" }));
  expect(await screen.findByText("There are no clusters yet")).toBeVisible();
  cleanup();
  const { user, address } = open("/", hub);
  expect(await screen.findByText("There are no clusters yet")).toBeVisible();
  await user.keyboard("{Control>}k{/Control}");
  await user.type(await screen.findByRole("combobox", { name: "Search" }), "first steps");
  await user.keyboard("{Enter}");
  expect(await screen.findByText("Bring in a cluster")).toBeVisible();
  expect(address()).toBe("/?first-steps=shown");
});

test("who has done everything, or may not set the hub up, is left alone", async () => {
  open("/");
  await screen.findByText("24 clusters");
  expect(screen.queryByRole("region", { name: /^First steps/ })).toBeNull();
  cleanup();
  const hub = new MockHub({ clusters: 0, user: "dana" });
  open("/", hub);
  expect(await screen.findByText("There are no clusters yet")).toBeVisible();
  expect(screen.queryByRole("region", { name: /^First steps/ })).toBeNull();
});

test("each step is ticked by what the hub tells", () => {
  const done = (setUp: Parameters<typeof stepsOf>[0], clusters: number) =>
    stepsOf(setUp, clusters).map(({ isDone }) => isDone);
  const nothing = { hasFactor: false, tenants: 0, users: 1, providers: 0 };
  expect(done(nothing, 0)).toEqual([false, false, false, false, false]);
  expect(done({ hasFactor: true, tenants: 1, users: 2, providers: 1 }, 1)).toEqual(Array(5).fill(true));
});
