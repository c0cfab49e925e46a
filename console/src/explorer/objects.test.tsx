// What is done with objects: scaled, restarted, deleted, drained; their logs and shells.

import { screen, waitFor, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { MockHub } from "../../mock/hub.ts";
import { status } from "../../mock/kubernetes/call.ts";
import { EchoShell } from "../../mock/kubernetes/shell.ts";
import { Problem } from "../api/problem";
import { open } from "../test/console";
import { Shell } from "./pod/exec";
import { explained } from "./pod/refusal";

const root = "/clusters/acme.production-01/explorer";
const pod = `${root}/pods/shop/web-5d8f7c9b6-k7r9t`;
const small = () => new MockHub({ clusters: 8, pods: 2 });
const inShop = "/namespaces/shop";

test("an object shows what it belongs to, what belongs to it, and what happened", async () => {
  const { user, address } = open(`${root}/deployments.apps/shop/web`, small());
  expect(await screen.findByText(/Scaled up replica set/)).toBeVisible();
  const pods = await screen.findByRole("region", { name: "Pods (3)" });
  expect(within(pods).getAllByText("Running")).toHaveLength(3);
  await user.click(await screen.findByRole("link", { name: "web-5d8f7c9b6" }));
  const owners = await screen.findByRole("region", { name: "Belongs to" });
  await user.click(within(owners).getByRole("link", { name: "web" }));
  expect(address()).toBe(`${root}/deployments.apps/shop/web`);
});

test("a workload is scaled and restarted as kubectl does it", async () => {
  const { hub, user } = open(`${root}/deployments.apps/shop/web`, small());
  await user.click(await screen.findByRole("button", { name: "Scale" }));
  const field = await screen.findByLabelText("Pods");
  await user.clear(field);
  await user.type(field, "5");
  await user.click(within(screen.getByRole("alertdialog")).getByRole("button", { name: "Scale" }));
  await waitFor(() => expect(screen.queryByRole("alertdialog")).toBeNull());
  await user.click(screen.getByRole("button", { name: "Restart" }));
  await user.click(within(await screen.findByRole("alertdialog")).getByRole("button", { name: "Restart" }));
  await waitFor(() => expect(hub.changes).toHaveLength(2));
  expect(hub.changes[0]).toMatchObject({
    key: `PATCH /apis/apps/v1${inShop}/deployments/web/scale`,
    body: { spec: { replicas: 5 } },
  });
  expect(hub.changes[1]?.body).toMatchObject({
    spec: {
      template: { metadata: { annotations: { "kubectl.kubernetes.io/restartedAt": expect.any(String) } } },
    },
  });
});

test("an object is deleted once it is confirmed, and only the one that was shown", async () => {
  const { hub, user, address } = open(`${root}/configmaps/shop/settings`, small());
  await user.click(await screen.findByRole("button", { name: "More actions" }));
  await user.click(await screen.findByRole("menuitem", { name: "Delete" }));
  expect(hub.changes).toHaveLength(0);
  await user.click(within(await screen.findByRole("alertdialog")).getByRole("button", { name: "Delete" }));
  await waitFor(() => expect(address()).toBe(`${root}/configmaps?namespace=shop`));
  expect(hub.changes[0]?.body).toMatchObject({ preconditions: { uid: "ConfigMap-shop-settings" } });
});

test("a right that is missing is told where it was asked", async () => {
  const { hub, user } = open(`${root}/nodes/-/worker-1`, small());
  await user.click(await screen.findByRole("button", { name: "Cordon" }));
  hub.cluster.refusal = (method) =>
    method === "PATCH" ? status(403, "Forbidden", "nodes is forbidden") : undefined;
  const dialog = await screen.findByRole("alertdialog");
  await user.click(within(dialog).getByRole("button", { name: "Cordon" }));
  expect(await within(dialog).findByText("nodes is forbidden")).toBeVisible();
});

test("a drain evicts what may go, and tells what hinders the rest", async () => {
  const { hub, user } = open(`${root}/nodes/-/worker-1`, small());
  await user.click(await screen.findByRole("button", { name: "Drain" }));
  const dialog = await screen.findByRole("dialog", { name: "Drain worker-1" });
  expect(await within(dialog).findByText(/Nothing makes these anew: load\/load-000000/)).toBeVisible();
  await user.click(within(dialog).getByRole("button", { name: "Drain" }));
  expect(await within(dialog).findByText(/disruption budget api needs 2 healthy pods/)).toBeVisible();
  expect(within(dialog).getAllByText("Evicted")).toHaveLength(2);
  await user.click(within(dialog).getByRole("button", { name: "Stop" }));
  expect(hub.changes[0]).toMatchObject({
    key: "PATCH /api/v1/nodes/worker-1",
    body: { spec: { unschedulable: true } },
  });
  expect(await screen.findByRole("button", { name: "Uncordon" })).toBeVisible();
});

test("an object that is deleted while it is looked at says so", async () => {
  const { hub } = open(`${root}/configmaps/shop/settings`, small());
  await screen.findByText("ConfigMap (v1)");
  const [object] = hub.cluster.all(
    { group: "", version: "v1", kind: "ConfigMap", plural: "configmaps", isNamespaced: true },
    "shop",
  );
  if (object !== undefined) {
    hub.cluster.remove(object);
  }
  expect(await screen.findByText("It was deleted. You see what it was.")).toBeVisible();
});

test("logs are text, whatever they say; they are searched, and those of all containers come together", async () => {
  const { user } = open(`${pod}/logs`, small());
  expect(await screen.findByText(/<img src=x onerror=.*> red$/)).toBeVisible();
  expect(document.querySelector("img[src=x]")).toBeNull();
  await user.type(screen.getByLabelText("Search in the log"), "ITEMS/7 ");
  expect(await screen.findByText("1 of 41 lines")).toBeVisible();
  await user.selectOptions(screen.getByLabelText("Container"), "All containers");
  expect(await screen.findByText("2 of 82 lines")).toBeVisible();
  await user.click(screen.getByLabelText("Before the last restart"));
  expect(await screen.findByText("The log ended.")).toBeVisible();
  expect(screen.getAllByText("before:", { exact: false })).not.toHaveLength(0);
});

/** A socket whose other end is the shell of a played cluster. */
class PlayedSocket extends EventTarget {
  static readonly OPEN = 1;
  readyState = 0;
  binaryType = "";
  #shell: EchoShell | undefined;

  constructor(_url: string, offered: string) {
    super();
    queueMicrotask(() => {
      this.readyState = offered === "v5.channel.k8s.io" ? 1 : 3;
      this.dispatchEvent(new Event(this.readyState === 1 ? "open" : "close"));
      const say = (data: Uint8Array) =>
        this.dispatchEvent(new MessageEvent("message", { data: data.buffer }));
      this.#shell = new EchoShell(say, () => this.close());
    });
  }

  send(message: Uint8Array): void {
    this.#shell?.take(message);
  }

  close(): void {
    this.dispatchEvent(new Event("close"));
  }
}

test("a shell speaks in channels, and ends well when it is left", async () => {
  vi.stubGlobal("WebSocket", PlayedSocket);
  let said = "";
  const ends: (Problem | undefined)[] = [];
  const shell = new Shell("ws://hub/exec", {
    onOpen: () => undefined,
    onOutput: (bytes) => {
      said += new TextDecoder().decode(bytes);
    },
    onEnd: (problem) => ends.push(problem),
  });
  await waitFor(() => expect(said).toContain("$ "));
  shell.resize(80, 24);
  shell.send("hi\r");
  expect(said).toContain("\r\nhi\r\n");
  shell.send("exit\r");
  expect(ends).toEqual([undefined]);
  vi.unstubAllGlobals();
});

test("a shell that is refused says which right is missing, or that the pod does not run", async () => {
  const { hub } = open(pod, small());
  const otherwise = new Problem({ status: 0, code: "denied", title: "The shell did not begin", detail: "?" });
  const of = (phase: string) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: "shop" },
    status: { phase },
  });
  const why = async (phase: string) => (await explained("acme.production-01", of(phase), otherwise)).message;
  hub.cluster.refusal = (_, path) =>
    path.endsWith("/selfsubjectaccessreviews") ? Response.json({ status: { allowed: true } }) : undefined;
  expect(await why("Pending")).toMatch(/The pod is pending/);
  expect(await why("Running")).toBe("?");
  hub.cluster.refusal = () => Response.json({ status: { allowed: false } });
  expect(await why("Running")).toMatch(/may not create pods\/exec in namespace shop/);
});
