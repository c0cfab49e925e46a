// Settings of the hub, and what comes of its branding.

import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { MockHub } from "../../mock/hub.ts";
import { problem } from "../../mock/world.ts";
import { open } from "../test/console";

const hostile = "<img src=x onerror=alert(1)>";

test("the hub is given a name, a notice, help and a length of sessions, and shows them", async () => {
  const { hub, user } = open("/settings");
  const name = await screen.findByLabelText("Name of the hub");
  expect(screen.getByLabelText("Hours that a session lasts")).toHaveAttribute("placeholder", "12");
  await user.type(name, " Acme Clouds ");
  await user.type(screen.getByLabelText("Notice for those who sign in"), "For staff");
  await user.type(screen.getByLabelText("Where people find help"), "https://help.example.com/");
  await user.type(screen.getByLabelText("Hours that a session lasts"), "8");
  await user.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(document.title).toBe("Settings · Acme Clouds"));
  expect(screen.getByText("Acme Clouds", { selector: "header span" })).toBeInTheDocument();
  expect(hub.changes.at(-1)?.body).toEqual({
    spec: {
      branding: { name: "Acme Clouds", notice: "For staff", supportUrl: "https://help.example.com/" },
      signIn: { sessionHours: 8 },
    },
  });
  await user.click(screen.getByRole("button", { name: "Signed in as admin" }));
  expect(await screen.findByRole("menuitem", { name: "Help" })).toHaveAttribute(
    "href",
    "https://help.example.com/",
  );
});

test("what is wrong is told at its field, before the hub is asked", async () => {
  const { hub, user } = open("/settings");
  await user.type(await screen.findByLabelText("Name of the hub"), "x".repeat(41));
  await user.type(screen.getByLabelText("Where people find help"), "http://help.example.com");
  await user.type(screen.getByLabelText("Hours that a session lasts"), "169");
  await user.click(screen.getByRole("button", { name: "Save" }));
  expect(await screen.findByText("At most 40 characters.")).toBeVisible();
  expect(screen.getByText("An address with https://.")).toBeVisible();
  expect(screen.getByText("A whole number from 1 to 168.")).toBeVisible();
  expect(hub.changes).toHaveLength(0);
});

test("limits are told with where they are set, and cannot be typed over", async () => {
  open("/settings");
  const limits = await screen.findByRole("table", { name: "Limits" });
  const row = within(limits).getByText("Days of the audit log").closest("tr");
  expect(row).toHaveTextContent("90");
  expect(row).toHaveTextContent("server.auditDays");
  expect(within(limits).getByText("Strangers: requests/s").closest("tr")).toHaveTextContent("None");
  expect(within(limits).queryByRole("textbox")).toBeNull();
});

test("somebody else's change is not written over unseen", async () => {
  const { hub, user } = open("/settings");
  await user.type(await screen.findByLabelText("Name of the hub"), "Mine");
  hub.settings.write({ branding: { name: "Theirs" } });
  await user.click(screen.getByRole("button", { name: "Save" }));
  const conflict = await screen.findByText("It was changed while you wrote");
  expect(conflict.closest("[role=alert]")).toHaveTextContent("branding.name");
  expect(hub.settings.spec.branding?.name).toBe("Theirs");
  await user.click(screen.getByRole("button", { name: "Take what is there now" }));
  expect(screen.getByLabelText("Name of the hub")).toHaveValue("Theirs");
  await user.type(screen.getByLabelText("Name of the hub"), " and mine");
  await user.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(hub.settings.spec.branding?.name).toBe("Theirs and mine"));
});

test("whoever may not read the settings is told so", async () => {
  const hub = new MockHub();
  hub.refusals.set("GET /api/v1/settings", problem(403, "denied", "none of your grants allows it"));
  open("/settings", hub);
  expect(await screen.findByText("none of your grants allows it")).toBeVisible();
});

test("strangers see the branding as text, and no link that is not https", async () => {
  const hub = new MockHub({ user: "" });
  hub.settings.write({
    branding: { name: hostile, notice: `${hostile}\nFor staff`, supportUrl: "https://help.example.com/" },
  });
  open("/", hub);
  expect(await screen.findByRole("heading", { name: `Sign in to ${hostile}` })).toBeVisible();
  expect(screen.getByText(/For staff/)).toHaveTextContent(hostile);
  expect(document.title).toBe(`Sign in · ${hostile}`);
  expect(screen.getByRole("link", { name: "Help" })).toHaveAttribute("href", "https://help.example.com/");
  expect(document.querySelector("img[src=x]")).toBeNull();
});

test.each(["http://help.example.com", "javascript:alert(1)", "//help.example.com", "help"])(
  "%s is not linked",
  async (supportUrl) => {
    const hub = new MockHub({ user: "" });
    // A hub of another version may not refuse it.
    hub.refusals.set("GET /api/v1/branding", Response.json({ name: "Acme", supportUrl }));
    open("/", hub);
    await screen.findByRole("heading", { name: "Sign in to Acme" });
    expect(screen.queryByRole("link", { name: "Help" })).toBeNull();
  },
);
