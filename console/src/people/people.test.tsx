// People and their rights: invited, asked about; providers that vouch for them.

import { screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { MockHub } from "../../mock/hub.ts";
import { problem } from "../../mock/world.ts";
import { open } from "../test/console";
import { newPassword } from "./password";

test("somebody is invited in one flow: a user, a password that is shown once, a role", async () => {
  const { hub, user } = open("/users/invite?tenant=acme");
  await user.type(await screen.findByLabelText("User name"), "nina");
  await user.selectOptions(screen.getByLabelText("Role"), "cluster-owner");
  await user.click(screen.getByRole("button", { name: "Invite" }));
  const shown = await screen.findByText(/^http.*User: nina.*Password: /s);
  const password = hub.changes.find(({ key }) => key.endsWith("/password"))?.body as { password: string };
  expect(shown).toHaveTextContent(password.password);
  expect(hub.objects.of("users").get("nina")?.spec).toMatchObject({ tenant: "acme" });
  expect(hub.objects.of("grants").get("nina-cluster-owner-tenant-acme")?.spec).toEqual({
    user: "nina",
    role: "cluster-owner",
    scope: { tenant: "acme" },
  });
});

test("an invitation that failed half-way goes on from there, with the same password", async () => {
  const { hub, user } = open("/users/invite?tenant=acme");
  hub.refusals.set("POST /api/v1/grants", problem(403, "denied", "you lack what the role has"));
  await user.type(await screen.findByLabelText("User name"), "nina");
  await user.selectOptions(screen.getByLabelText("Role"), "platform-admin");
  await user.click(screen.getByRole("button", { name: "Invite" }));
  expect(await screen.findByText("you lack what the role has")).toBeVisible();
  await user.selectOptions(screen.getByLabelText("Role"), "read-only");
  await user.click(screen.getByRole("button", { name: "Invite" }));
  await screen.findByRole("heading", { name: "nina is invited" });
  const keys = hub.changes.map(({ key }) => key);
  expect(keys).toEqual(["POST /api/v1/users", "PUT /api/v1/users/{name}/password", "POST /api/v1/grants"]);
});

test("a password that is made is long, fair and never the same", () => {
  const random = (bytes: Uint8Array) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>);
  const made = new Set(Array.from({ length: 50 }, () => newPassword(random)));
  expect(made.size).toBe(50);
  for (const password of made) {
    expect(password).toMatch(/^([a-zA-Z2-9]{5}-){3}[a-zA-Z2-9]{5}$/);
  }
  // Bytes that would make some letters likelier are left out.
  let calls = 0;
  newPassword((bytes) => {
    calls += 1;
    return bytes.fill(calls === 1 ? 255 : 0);
  });
  expect(calls).toBe(2);
});

test("rights are asked by an address, and the answer says by which grant", async () => {
  open("/access?user=dana&verb=delete&resource=clusters&kind=tenant&place=acme-labs");
  expect(await screen.findByText("Allowed")).toBeVisible();
  expect(screen.getByText(/The grant dana-at-acme gives user dana the role tenant-owner/)).toBeVisible();
});

test("a provider's secret goes one way, and its redirect URL can be copied", async () => {
  const { hub, user } = open("/providers/company");
  expect(await screen.findByText(/\/api\/v1\/session\/oidc\/company\/callback$/)).toBeVisible();
  const field = screen.getByLabelText("Client secret");
  expect(field).toHaveAttribute("type", "password");
  await user.type(field, "s3cret");
  await user.click(screen.getByRole("button", { name: "Set the secret" }));
  await waitFor(() => expect(field).toHaveValue(""));
  expect(hub.changes.at(-1)?.body).toEqual({ secret: "s3cret" });
});

test("hostile names of tenants, users and grants are text", async () => {
  const hostile = "<img src=x onerror=alert(1)>";
  const hub = new MockHub();
  hub.objects.write("tenants", "evil", { displayName: hostile, state: "Active" });
  hub.objects.write("users", "evil", { displayName: hostile, email: hostile });
  for (const path of ["/tenants", "/tenants/evil", "/users", "/users/evil"]) {
    open(path, hub);
    await waitFor(() => expect(document.body.textContent).toContain(hostile));
  }
  expect(document.querySelector("img[src=x]")).toBeNull();
});
