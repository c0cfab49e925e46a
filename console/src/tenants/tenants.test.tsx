// Tenants: changed by two at once, let go, their members.

import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { MockHub } from "../../mock/hub.ts";
import { problem } from "../../mock/world.ts";
import { open } from "../test/console";

test("whoever was slower sees both versions, and may write theirs over it", async () => {
  const { hub, user, address } = open("/tenants/acme/edit");
  const clusters = await screen.findByLabelText("Clusters");
  await user.clear(clusters);
  await user.type(clusters, "25");
  const spec = hub.objects.of("tenants").get("acme")?.spec ?? {};
  hub.objects.write("tenants", "acme", { ...spec, displayName: "Acme AG" });
  await user.click(screen.getByRole("button", { name: "Save" }));
  const conflict = await screen.findByText("It was changed while you wrote");
  const panel = within(conflict.closest("[role=alert]") as HTMLElement);
  expect(panel.getByText("quota.clusters")).toBeVisible();
  expect(panel.getByText("25")).toBeVisible();
  expect(panel.getByText("Acme AG")).toBeVisible();
  await user.click(panel.getByRole("button", { name: "Write mine over it" }));
  await waitFor(() => expect(address()).toBe("/tenants/acme"));
  expect(hub.objects.of("tenants").get("acme")?.spec).toMatchObject({
    displayName: "Acme Ltd.",
    quota: { clusters: 25 },
  });
});

test("what is there now can be taken instead, and saved with something else", async () => {
  const { hub, user } = open("/tenants/acme/edit");
  await user.type(await screen.findByLabelText("Name for people"), " and sons");
  const spec = hub.objects.of("tenants").get("acme")?.spec ?? {};
  hub.objects.write("tenants", "acme", { ...spec, displayName: "Acme AG" });
  await user.click(screen.getByRole("button", { name: "Save" }));
  await user.click(await screen.findByRole("button", { name: "Take what is there now" }));
  expect(screen.getByLabelText("Name for people")).toHaveValue("Acme AG");
  await user.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(hub.objects.of("tenants").get("acme")?.version).toBe("3"));
});

test("what the hub says of a field stands at the field", async () => {
  const { hub, user } = open("/tenants/new?parent=acme");
  await user.type(await screen.findByLabelText("Name"), "acme-shop");
  await user.type(screen.getByLabelText("Memory of control planes"), "900Gi");
  const errors = [{ field: "spec.quota.memory", detail: "acme has 32Gi" }];
  hub.refusals.set("POST /api/v1/tenants", problem(422, "invalid", "wrong", undefined, errors));
  await user.click(screen.getByRole("button", { name: "Make" }));
  expect(await screen.findByText("acme has 32Gi")).toBeVisible();
  expect(screen.getByLabelText("Memory of control planes")).toHaveAttribute("aria-invalid", "true");
  expect(screen.getByLabelText("Name")).toHaveValue("acme-shop");
});

test("a session that ends in the middle of a form loses nothing, and the form goes on", async () => {
  const { hub, user, address } = open("/tenants/new");
  await user.type(await screen.findByLabelText("Name"), "night-shift");
  hub.user = undefined;
  await user.click(screen.getByRole("button", { name: "Make" }));
  const dialog = await screen.findByRole("dialog", { name: "Your session has ended" });
  await user.type(within(dialog).getByLabelText("Password"), "correct horse");
  await user.click(within(dialog).getByRole("button", { name: "Sign in" }));
  await waitFor(() => expect(address()).toBe("/tenants/night-shift"));
  expect(hub.objects.of("tenants").has("night-shift")).toBe(true);
});

test("a tenant with clusters is not deleted at once, and says why; it can be suspended", async () => {
  const { user } = open("/tenants/acme");
  await user.click(await screen.findByRole("button", { name: "More actions" }));
  await user.click(await screen.findByRole("menuitem", { name: "Delete at once" }));
  const dialog = await screen.findByRole("alertdialog");
  expect(dialog).toHaveTextContent("16 clusters of it and of tenants below, and 2 tenants right below it");
  await user.type(within(dialog).getByLabelText("Type acme to confirm"), "acme");
  expect(within(dialog).getByRole("button", { name: "Delete" })).toBeDisabled();
  await user.click(within(dialog).getByRole("button", { name: "Cancel" }));
  await user.click(await screen.findByRole("button", { name: "More actions" }));
  await user.click(await screen.findByRole("menuitem", { name: "Suspend" }));
  await user.click(within(await screen.findByRole("alertdialog")).getByRole("button", { name: "Suspend" }));
  expect(await screen.findByText("Suspended")).toBeVisible();
});

test("a tenant that has nothing is deleted once its name is typed", async () => {
  const hub = new MockHub();
  hub.objects.write("tenants", "empty", { state: "Active" });
  const { user, address } = open("/tenants/empty", hub);
  await user.click(await screen.findByRole("button", { name: "More actions" }));
  await user.click(await screen.findByRole("menuitem", { name: "Delete at once" }));
  const dialog = await screen.findByRole("alertdialog", { name: "Delete empty?" });
  expect(within(dialog).getByRole("button", { name: "Delete" })).toBeDisabled();
  await user.type(within(dialog).getByLabelText("Type empty to confirm"), "empty");
  await user.click(within(dialog).getByRole("button", { name: "Delete" }));
  await waitFor(() => expect(address()).toBe("/tenants"));
  expect(hub.objects.of("tenants").has("empty")).toBe(false);
});

test("a member whose grant is of the place itself can be taken; one from above is marked", async () => {
  const { hub, user } = open("/tenants/acme-labs");
  const take = await screen.findByRole("button", {
    name: "Take away cluster-owner from group company:developers",
  });
  expect(screen.getAllByText("Inherited")).toHaveLength(2);
  await user.click(take);
  await user.click(within(await screen.findByRole("alertdialog")).getByRole("button", { name: "Take away" }));
  await waitFor(() => expect(hub.objects.of("grants").has("developers")).toBe(false));
  await waitFor(() => expect(screen.queryByText("group company:developers")).toBeNull());
});
