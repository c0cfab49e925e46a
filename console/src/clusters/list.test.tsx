// The list of clusters: filters in the address, order, keys, thousands of rows, what is done with many.

import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { MockHub } from "../../mock/hub.ts";
import { problem } from "../../mock/world.ts";
import { open } from "../test/console";

const names = () =>
  within(screen.getByRole("table"))
    .getAllByRole("row")
    .slice(1)
    .map((row) => within(row).queryByRole("link")?.textContent)
    .filter(Boolean);

test("filter and order stand in the address, and come from it", async () => {
  const { user, address } = open("/clusters?kind=imported&sort=-name", new MockHub({ clusters: 40 }));
  await screen.findByText("8 of 40 clusters");
  expect(names()).toEqual([...names()].sort().reverse());
  await user.type(screen.getByRole("searchbox"), "edge");
  await waitFor(() => expect(address()).toBe("/clusters?kind=imported&sort=-name&search=edge"));
  await user.click(screen.getByRole("button", { name: "Name" }));
  expect(address()).toContain("sort=name");
  await user.click(screen.getByRole("button", { name: "Clear" }));
  await screen.findByText("40 clusters");
  expect(address()).toBe("/clusters?sort=name");
});

test("of 5,000 clusters only those in sight are drawn", async () => {
  open("/clusters", new MockHub({ clusters: 5000 }));
  await screen.findByText("5,000 clusters");
  const table = screen.getByRole("table");
  expect(table).toHaveAttribute("aria-rowcount", "5001");
  expect(within(table).getAllByRole("row").length).toBeLessThan(60);
});

test("arrows move through rows, Space selects, Enter opens", async () => {
  const { user, address } = open("/clusters?tenant=acme", new MockHub({ clusters: 30 }));
  await screen.findByText("6 of 30 clusters");
  const rows = within(screen.getByRole("table")).getAllByRole("row");
  rows[1]?.focus();
  await user.keyboard("{ArrowDown}");
  expect(rows[2]).toHaveFocus();
  await user.keyboard(" ");
  expect(await screen.findByText("1 selected")).toBeVisible();
  await user.keyboard("{Enter}");
  await waitFor(() => expect(address()).toMatch(/^\/clusters\/acme/));
});

test("Shift selects all from the last one to this one", async () => {
  const { user } = open("/clusters", new MockHub({ clusters: 8 }));
  await screen.findByText("8 clusters");
  const boxes = screen.getAllByRole("checkbox", { name: /^Select [^a]|^Select a[^l]/ });
  await user.click(boxes[1] as HTMLElement);
  await user.keyboard("{Shift>}");
  await user.click(boxes[4] as HTMLElement);
  await user.keyboard("{/Shift}");
  expect(await screen.findByText("4 selected")).toBeVisible();
});

test("what is done with many goes on past what fails, and tells it", async () => {
  const hub = new MockHub({ clusters: 30 });
  const { user } = open("/clusters?tenant=acme&state=Ready&kind=hosted", hub);
  await screen.findByText(/ of 30 clusters/);
  await user.click(screen.getByRole("checkbox", { name: "Select all" }));
  const count = names().length;
  hub.refusals.set(
    "POST /api/v1/clusters/{name}/sleep",
    problem(403, "denied", "you may not put it to sleep"),
  );
  await user.click(screen.getByRole("button", { name: "Sleep" }));
  const dialog = await screen.findByRole("alertdialog");
  await user.click(within(dialog).getByRole("button", { name: "Put to sleep" }));
  expect(await within(dialog).findByText(/you may not put it to sleep/)).toBeVisible();
  expect(hub.changes).toHaveLength(count - 1);
  await user.click(within(dialog).getByRole("button", { name: "Try these again" }));
  await waitFor(() => expect(screen.queryByRole("alertdialog")).toBeNull());
  expect(hub.changes).toHaveLength(count);
});

test("many are deleted only after their number was typed, each in its own way", async () => {
  const hub = new MockHub({ clusters: 5 });
  const { user } = open("/clusters", hub);
  await screen.findByText("5 clusters");
  await user.click(screen.getByRole("checkbox", { name: "Select all" }));
  await user.click(screen.getByRole("button", { name: "Delete" }));
  const dialog = await screen.findByRole("alertdialog");
  const confirm = within(dialog).getByRole("button", { name: "Delete" });
  expect(confirm).toBeDisabled();
  await user.type(within(dialog).getByLabelText("Type 5 to confirm"), "5");
  await user.click(confirm);
  await screen.findByText("There are no clusters yet");
  const keys = hub.changes.map(({ key }) => key);
  expect(keys.filter((key) => key === "DELETE /api/v1/clusters/{name}")).toHaveLength(4);
  expect(keys.filter((key) => key === "DELETE /api/v1/imports/{name}")).toHaveLength(1);
});

test("a view is kept by a name and opened again", async () => {
  const { user, address } = open("/clusters?state=Lost");
  await screen.findByRole("table");
  await user.click(screen.getByRole("button", { name: "Views" }));
  await user.click(await screen.findByRole("menuitem", { name: "Keep or remove views…" }));
  await user.type(await screen.findByLabelText("Keep what is shown as"), "Lost ones");
  await user.click(screen.getByRole("button", { name: "Keep" }));
  await user.click(await screen.findByRole("button", { name: "Clear" }));
  expect(address()).toBe("/clusters");
  await user.click(screen.getByRole("button", { name: "Views" }));
  await user.click(await screen.findByRole("menuitem", { name: "Lost ones" }));
  await waitFor(() => expect(address()).toBe("/clusters?state=Lost"));
});

test("columns that somebody leaves out stay out", async () => {
  const { user } = open("/clusters");
  await screen.findByRole("columnheader", { name: "Version" });
  await user.click(screen.getByRole("button", { name: "Columns" }));
  await user.click(await screen.findByRole("menuitemcheckbox", { name: "Version" }));
  expect(screen.queryByRole("columnheader", { name: "Version", hidden: true })).toBeNull();
});
