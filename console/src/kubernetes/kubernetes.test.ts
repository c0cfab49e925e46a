// Kinds, failures, lines and lists of clusters.

import { expect, test, vi } from "vitest";
import { MockHub } from "../../mock/hub.ts";
import { status } from "../../mock/kubernetes/call.ts";
import { Problem } from "../api/problem";
import { play } from "../test/console";
import { kindsOf } from "./discovery";
import { type Kind, kindOf, titleOf } from "./kinds";
import { lines } from "./lines";
import { Follower, type List } from "./list";

const nothing: List = { columns: [], rows: [], remaining: undefined, isComplete: false, stale: undefined };

test("the version that a group prefers counts, and only what can be listed", () => {
  const resource = (name: string, ...verbs: string[]) => ({ resource: name, scope: "Namespaced", verbs });
  const found = kindsOf({
    items: [
      {
        metadata: { name: "batch" },
        versions: [
          { version: "v1", resources: [resource("jobs", "list"), resource("reviews", "create")] },
          { version: "v1beta1", resources: [resource("jobs", "list"), resource("cronjobs", "list")] },
        ],
      },
    ],
  });
  expect(found.map(({ id, version }) => `${id} ${version}`)).toEqual([
    "jobs.batch v1",
    "cronjobs.batch v1beta1",
  ]);
});

test("kinds have titles, and are found by what objects say of themselves", () => {
  const titles = [
    ["NetworkPolicy", "networkpolicies"],
    ["Ingress", "ingresses"],
    ["Endpoints", "endpoints"],
    ["Pod", "pods"],
  ].map(([kind = "", plural = ""]) => titleOf({ kind, plural }));
  expect(titles).toEqual(["NetworkPolicies", "Ingresses", "Endpoints", "Pods"]);
  const kinds = [
    { group: "apps", kind: "Deployment" },
    { group: "", kind: "Pod" },
  ] as Kind[];
  expect(kindOf(kinds, { apiVersion: "apps/v1beta1", kind: "Deployment" })).toBe(kinds[0]);
  expect(kindOf(kinds, { apiVersion: "v1", kind: "Pod" })).toBe(kinds[1]);
  expect(kindOf(kinds, { apiVersion: "v1", kind: "Deployment" })).toBeUndefined();
});

test("what Kubernetes refuses is a problem with its words; a budget is not asked again at once", async () => {
  const denied = await Problem.of(status(403, "Forbidden", "pods is forbidden"));
  expect(denied).toMatchObject({ status: 403, code: "denied", message: "pods is forbidden" });
  const causes = [{ reason: "DisruptionBudget", message: "needs 2 healthy pods" }];
  const budget = await Problem.of(
    status(429, "TooManyRequests", "Cannot evict.", { causes, retryAfterSeconds: 1 }),
  );
  expect(budget).toMatchObject({ code: "too-many", message: "Cannot evict. needs 2 healthy pods" });
  expect(budget.retryAfter).toBeUndefined();
});

test("lines come whole, however they are cut", async () => {
  const { readable, writable } = new TransformStream<Uint8Array<ArrayBuffer>>();
  const writer = writable.getWriter();
  const say = async () => {
    for (const part of ["one\ntw", "o\n", "three"]) {
      await writer.write(new TextEncoder().encode(part));
    }
    await writer.close();
  };
  void say();
  const found: string[] = [];
  for await (const some of lines(readable)) {
    found.push(...some);
  }
  expect(found).toEqual(["one", "two", "three"]);
});

/** Follows the pods of a played cluster. */
function pods(hub: MockHub) {
  play(hub);
  const stop = new AbortController();
  const drawn: List[] = [];
  const query = { cluster: "acme.production-01", path: "/api/v1/pods" };
  const done = new Follower(query, nothing, (list) => drawn.push(list), stop.signal).follow();
  const last = () => drawn.at(-1) ?? nothing;
  return { drawn, last, done, stop: () => stop.abort() };
}

test("the first page of a long list is shown before the last has come", async () => {
  const { drawn, last, stop } = pods(new MockHub({ pods: 2000 }));
  await vi.waitFor(() => expect(last().isComplete).toBe(true));
  expect(drawn[0]?.rows).toHaveLength(500);
  expect(drawn[0]?.isComplete).toBe(false);
  expect(last().rows).toHaveLength(2005);
  stop();
});

test("a resource version that is forgotten makes it list anew; rows stay meanwhile", async () => {
  const hub = new MockHub({ pods: 3 });
  const { drawn, last, stop } = pods(hub);
  await vi.waitFor(() => expect(last().isComplete).toBe(true));
  const begun = drawn.length;
  hub.cluster.isForgetful = true;
  const gone = hub.cluster.all({ ...kind, isNamespaced: true }, "load")[0];
  hub.cluster.cut();
  if (gone !== undefined) {
    hub.cluster.remove(gone);
  }
  await vi.waitFor(() => expect(last().rows).toHaveLength(7), 5000);
  expect(drawn.slice(begun).every(({ rows }) => rows.length >= 7)).toBe(true);
  stop();
});

const kind = { group: "", version: "v1", kind: "Pod", plural: "pods" };

test("a right that ends is told, and what was seen stays", async () => {
  const hub = new MockHub({ pods: 3 });
  const { last, done } = pods(hub);
  await vi.waitFor(() => expect(last().isComplete).toBe(true));
  hub.cluster.refusal = () => status(403, "Forbidden", "pods is forbidden");
  hub.cluster.cut();
  await done;
  expect(last().rows).toHaveLength(8);
  expect(last().stale?.problem).toMatchObject({ code: "denied" });
});
