// The audit log: searched, paged, looked at, saved; and those who may not read it.

import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { MockHub } from "../../mock/hub.ts";
import { problem } from "../../mock/world.ts";
import { open } from "../test/console";
import { asked, exportPath } from "./query";

const table = () => screen.findByRole("table", { name: "Audit log" });

test("a filter stands in the address and narrows what is saved, too", async () => {
  const { user, address } = open("/audit");
  await within(await table()).findAllByText("admin");
  await user.type(screen.getByLabelText("Who"), "eli{Enter}");
  await waitFor(() => expect(address()).toBe("/audit?actor=eli"));
  await waitFor(() => expect(screen.queryByText("admin")).toBeNull());
  expect(screen.getByRole("link", { name: "Save as JSON lines" })).toHaveAttribute(
    "href",
    "/api/v1/audit/export?actor=eli",
  );
});

test("older entries come when they are asked for", async () => {
  const { user } = open("/audit");
  await user.click(await screen.findByRole("button", { name: "Show older ones" }));
  await waitFor(() => expect(screen.getByRole("table")).toHaveAttribute("aria-rowcount", "41"));
  expect(screen.queryByRole("button", { name: "Show older ones" })).toBeNull();
});

test("an entry is opened by a key, and tells why it was denied", async () => {
  const { user } = open("/audit?decision=denied");
  await within(await table()).findAllByText("eli");
  screen.getAllByRole("row")[1]?.focus();
  await user.keyboard("{Enter}");
  const dialog = await screen.findByRole("dialog", { name: "eli tried to delete the cluster" });
  expect(within(dialog).getByText("no grant allows it")).toBeVisible();
  expect(within(dialog).getByText("4.2 ms")).toBeVisible();
});

test("whoever may not read it is told whom to ask", async () => {
  const hub = new MockHub();
  hub.refusals.set("GET /api/v1/audit", problem(403, "denied", "ask for the role auditor"));
  open("/audit", hub);
  expect(await screen.findByText("ask for the role auditor")).toBeVisible();
});

test("a span counts back from now", () => {
  const now = Date.parse("2026-03-01T12:00:00Z");
  expect(asked(new URLSearchParams({ span: "day", actor: " dana ", verb: "" }), now)).toEqual({
    actor: "dana",
    since: "2026-02-28T12:00:00.000Z",
  });
  expect(exportPath({ actor: "a&b" })).toBe("/api/v1/audit/export?actor=a%26b");
});
