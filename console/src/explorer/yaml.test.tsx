// Changing objects as YAML: seen before it is saved, merged if somebody was faster, kept if it is refused.

import { EditorView } from "@codemirror/view";
import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { MockHub } from "../../mock/hub.ts";
import { status } from "../../mock/kubernetes/call.ts";
import type { KubernetesObject } from "../kubernetes/objects";
import { open } from "../test/console";

const root = "/clusters/acme.production-01/explorer";
const yaml = `${root}/configmaps/shop/settings/yaml`;
const small = () => new MockHub({ clusters: 8, pods: 2 });
const kind = { group: "", version: "v1", kind: "ConfigMap", plural: "configmaps", isNamespaced: true };

function settings(hub: MockHub): KubernetesObject {
  const object = hub.cluster.find(kind, "shop", "settings");
  if (object === undefined) {
    throw new Error("the played cluster has no settings");
  }
  return object;
}

async function editor(name: string): Promise<EditorView> {
  const view = EditorView.findFromDOM(await screen.findByRole("textbox", { name }));
  if (view === null) {
    throw new Error("there is no editor");
  }
  return view;
}

/** Writes something in place of something else. */
async function retype(before: string, after: string): Promise<void> {
  const view = await editor("settings as YAML");
  const from = view.state.doc.toString().indexOf(before);
  expect(from).toBeGreaterThan(-1);
  view.dispatch({ changes: { from, to: from + before.length, insert: after } });
}

const press = async (user: ReturnType<typeof open>["user"], name: string) =>
  user.click(await screen.findByRole("button", { name }));

test("what is typed is compared, tried, and saved", async () => {
  const { hub, user } = open(yaml, small());
  await retype("hello", "welcome");
  await press(user, "Review the changes");
  await screen.findByText("welcome", { exact: false });
  await press(user, "Try on the server");
  expect(await screen.findByText("The cluster would take it")).toBeVisible();
  expect(settings(hub).data).toMatchObject({ greeting: "hello" });
  await press(user, "Save");
  await waitFor(() => expect(settings(hub).data).toMatchObject({ greeting: "welcome" }));
  expect(hub.changes.at(-1)?.body).toMatchObject({ metadata: { resourceVersion: expect.any(String) } });
  expect(settings(hub).metadata.managedFields).toBeUndefined();
});

test("somebody who was faster is merged with, field by field", async () => {
  const { hub, user } = open(yaml, small());
  await retype("hello", "welcome");
  const before = settings(hub);
  hub.cluster.put({ ...before, data: { ...(before.data as object), other: "theirs" } });
  await press(user, "Review the changes");
  await press(user, "Save");
  expect(await screen.findByText("Somebody else changed it meanwhile.")).toBeVisible();
  expect(screen.getByText(/You changed different fields/)).toBeVisible();
  await press(user, "Take both together");
  await press(user, "Save");
  await waitFor(() => expect(settings(hub).data).toMatchObject({ greeting: "welcome", other: "theirs" }));
});

test("a field that both changed is named, and each can be looked at", async () => {
  const { hub, user } = open(yaml, small());
  await retype("hello", "welcome");
  const before = settings(hub);
  hub.cluster.put({ ...before, data: { ...(before.data as object), greeting: "good day" } });
  await press(user, "Merge");
  expect(await screen.findByText(/Both of you changed data.greeting/)).toBeVisible();
  await user.selectOptions(screen.getByLabelText("Shown"), "What they changed");
  expect(await screen.findByText("good day", { exact: false })).toBeVisible();
  await press(user, "Take theirs");
  expect(await screen.findByRole("button", { name: "Save" })).toBeVisible();
});

test("a right that ends while one types is told, and nothing typed is lost", async () => {
  const { hub, user } = open(yaml, small());
  await retype("hello", "welcome");
  hub.cluster.refusal = () => status(403, "Forbidden", "configmaps is forbidden");
  hub.cluster.cut();
  expect(await screen.findByText(/You see the last known state/)).toBeVisible();
  await press(user, "Review the changes");
  await press(user, "Save");
  expect(await screen.findByRole("alert")).toHaveTextContent("configmaps is forbidden");
  await press(user, "Go on editing");
  expect((await editor("settings as YAML")).state.doc.toString()).toContain("welcome");
});

test("other tabs keep what was typed; leaving the object asks first", async () => {
  const { user, address } = open(yaml, small());
  await retype("hello", "welcome");
  await user.click(screen.getByRole("link", { name: "Summary" }));
  await user.click(await screen.findByRole("link", { name: "YAML" }));
  expect((await editor("settings as YAML")).state.doc.toString()).toContain("welcome");
  await user.click(screen.getAllByRole("link", { name: "ConfigMaps" })[0] ?? document.body);
  const dialog = await screen.findByRole("alertdialog", { name: "Leave what you typed?" });
  await user.click(within(dialog).getByRole("button", { name: "Cancel" }));
  expect(address()).toBe(yaml);
});

test("what is no object is told while it is typed", async () => {
  open(yaml, small());
  await retype("kind: ConfigMap", "kind: [");
  expect(await screen.findByText(/at line/)).toBeVisible();
});

test("several documents are made one after the other; what fails stays in the editor", async () => {
  const { hub, user } = open(`${root}/create?namespace=shop`, small());
  const view = await editor("Objects as YAML");
  const text = [
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: fresh}\n",
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n",
    "apiVersion: example.com/v1\nkind: Boat\nmetadata: {name: b}\n",
  ].join("---\n");
  view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
  await press(user, "Create");
  const results = await screen.findByRole("list", { name: "Results" });
  expect(within(results).getByText(/"settings" already exists/)).toBeVisible();
  expect(within(results).getByText(/does not know Boat/)).toBeVisible();
  expect(within(results).getByRole("link", { name: "ConfigMap fresh" })).toHaveAttribute(
    "href",
    `${root}/configmaps/shop/fresh`,
  );
  expect(hub.cluster.find(kind, "shop", "fresh")).toBeDefined();
  await waitFor(() => expect(view.state.doc.toString()).not.toContain("fresh"));
  expect(view.state.doc.toString()).toContain("Boat");
});
