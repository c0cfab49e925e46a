// Signing in, and a session that ends while somebody works.

import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { MockHub } from "../../mock/hub.ts";
import { open } from "../test/console";

const nobody = () => new MockHub({ user: "" });

test("whoever signs in arrives where they wanted to go", async () => {
  const { user, address } = open("/clusters?state=Ready", nobody());
  await user.type(await screen.findByLabelText("Name"), "dana");
  await user.type(screen.getByLabelText("Password"), "correct horse");
  await user.click(screen.getByRole("button", { name: "Sign in" }));
  expect(await screen.findByRole("heading", { name: "Clusters" })).toBeVisible();
  expect(address()).toBe("/clusters?state=Ready");
});

test("a wrong password is told, and what was typed stays", async () => {
  const { user } = open("/", nobody());
  await user.type(await screen.findByLabelText("Name"), "dana");
  await user.type(screen.getByLabelText("Password"), "guess");
  await user.click(screen.getByRole("button", { name: "Sign in" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("name, password or code are wrong");
  expect(screen.getByLabelText("Name")).toHaveValue("dana");
});

test("a second factor is asked for only when there is one", async () => {
  const { user } = open("/", nobody());
  await user.type(await screen.findByLabelText("Name"), "careful");
  await user.type(screen.getByLabelText("Password"), "correct horse");
  expect(screen.queryByLabelText("Code")).toBeNull();
  await user.click(screen.getByRole("button", { name: "Sign in" }));
  await user.type(await screen.findByLabelText("Code"), "123 456");
  await user.click(screen.getByRole("button", { name: "Sign in" }));
  expect(await screen.findByRole("heading", { name: "Overview" })).toBeVisible();
});

test("providers lead away and back to the page, directories take the password here", async () => {
  const { user, hub } = open("/clusters?tenant=acme", nobody());
  const link = await screen.findByRole("link", { name: "Company sign-in" });
  expect(link).toHaveAttribute("href", "/api/v1/session/oidc/company?return=%2Fclusters%3Ftenant%3Dacme");
  await user.selectOptions(screen.getByLabelText("Account"), "Directory");
  await user.type(screen.getByLabelText("Name"), "dana");
  await user.type(screen.getByLabelText("Password"), "correct horse");
  await user.click(screen.getByRole("button", { name: "Sign in" }));
  await waitFor(() => expect(hub.changes.at(-1)?.body).toMatchObject({ provider: "directory" }));
});

test("a session that ends in the middle of a form loses nothing, and the form goes on by itself", async () => {
  const { hub, user, address } = open("/clusters/create");
  await user.type(await screen.findByLabelText("Name"), "night-shift");
  await user.selectOptions(screen.getByLabelText("Tenant"), "acme");
  hub.user = undefined;
  await user.click(screen.getByRole("button", { name: "Create" }));
  const dialog = await screen.findByRole("dialog", { name: "Your session has ended" });
  await user.type(within(dialog).getByLabelText("Password"), "correct horse");
  await user.click(within(dialog).getByRole("button", { name: "Sign in" }));
  await waitFor(() => expect(address()).toBe("/clusters/acme.night-shift"));
  expect(hub.inventory.rows.get("acme.night-shift")).toMatchObject({ tenant: "acme" });
});

test("whoever leaves the dialog finds the form as it was", async () => {
  const { hub, user } = open("/clusters/create");
  await user.type(await screen.findByLabelText("Name"), "night-shift");
  await user.selectOptions(screen.getByLabelText("Tenant"), "acme");
  hub.user = undefined;
  await user.click(screen.getByRole("button", { name: "Create" }));
  const dialog = await screen.findByRole("dialog", { name: "Your session has ended" });
  await user.click(within(dialog).getByRole("button", { name: "Close" }));
  expect(await screen.findByText(/session has ended; sign in again/)).toBeVisible();
  expect(screen.getByLabelText("Name")).toHaveValue("night-shift");
});

test("whoever only looks is asked once, and again when they want to", async () => {
  const { hub, user } = open("/clusters");
  await screen.findByText("24 clusters");
  hub.user = undefined;
  hub.inventory.cut();
  const dialog = await screen.findByRole("dialog", { name: "Your session has ended" });
  await user.click(within(dialog).getByRole("button", { name: "Close" }));
  expect(await screen.findByText(/You are signed out/)).toBeVisible();
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(screen.getByText("24 clusters")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Sign in" }));
  await user.type(within(await screen.findByRole("dialog")).getByLabelText("Password"), "correct horse");
  await user.click(within(screen.getByRole("dialog")).getByRole("button", { name: "Sign in" }));
  await waitFor(() => expect(screen.queryByText(/You are signed out/)).toBeNull());
});

test("signing out leaves nothing of what was shown", async () => {
  const { user } = open("/clusters");
  await screen.findByText("24 clusters");
  await user.click(screen.getByRole("button", { name: "Signed in as admin" }));
  await user.click(await screen.findByRole("menuitem", { name: "Sign out" }));
  expect(await screen.findByRole("heading", { name: "Sign in to Flotilla" })).toBeVisible();
  expect(screen.queryByText("24 clusters")).toBeNull();
});
