// What is decided without a cluster: merging, logs, plans, places in YAML, groups.

import { describe, expect, test } from "vitest";
import { Problem } from "../api/problem";
import type { KubernetesObject } from "../kubernetes/objects";
import { pathAbove } from "../ui/editor/yaml-path";
import { toneOf } from "./list/columns";
import { planOf } from "./node/drain";
import { execUrl } from "./pod/exec";
import { LogRing, plain } from "./pod/ring";
import { objectOf, objectsOf, textOf } from "./yaml/draft";
import { merge } from "./yaml/merge";
import { sentOf } from "./yaml/save";
import { fieldsAt } from "./yaml/schema";

const object = (more: Record<string, unknown> = {}): KubernetesObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "a", namespace: "n", resourceVersion: "1" },
  ...more,
});

describe("merging", () => {
  const container = (name: string, image: string) => ({ name, image });

  test("changes of different fields come together, also in lists whose entries have names", () => {
    const base = object({
      data: { one: "1", two: "2" },
      list: [container("a", "a:1"), container("b", "b:1")],
    });
    const yours = object({
      data: { one: "mine", two: "2" },
      list: [container("a", "a:2"), container("b", "b:1")],
    });
    const theirs = {
      ...object({
        data: { one: "1" },
        list: [container("a", "a:1"), container("b", "b:2"), container("c", "c:1")],
      }),
      metadata: { name: "a", namespace: "n", resourceVersion: "2" },
    };
    expect(merge(base, yours, theirs)).toEqual({
      conflicts: [],
      object: {
        ...theirs,
        data: { one: "mine" },
        list: [container("a", "a:2"), container("b", "b:2"), container("c", "c:1")],
      },
    });
  });

  test("what both changed is told, and keeps what was typed", () => {
    const { object: merged, conflicts } = merge(
      object({ data: { one: "1" }, status: { x: 1 } }),
      object({ data: { one: "mine" }, status: { x: 1 } }),
      object({ data: { one: "theirs" }, status: { x: 2 } }),
    );
    expect(conflicts).toEqual(["data.one"]);
    expect(merged).toMatchObject({ data: { one: "mine" }, status: { x: 2 } });
  });
});

describe("text", () => {
  test("several documents and lists are several objects; nothing is lost on the way", () => {
    const text = `${textOf(object({ data: { on: "yes", long: "x ".repeat(200), lines: "a\nb\n" } }))}---\napiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: p}}\n---\n# nothing\n`;
    const found = objectsOf(text);
    expect(found.map(({ kind }) => kind)).toEqual(["ConfigMap", "Pod"]);
    expect(found[0]?.data).toEqual({ on: "yes", long: "x ".repeat(200), lines: "a\nb\n" });
  });

  test.each([
    ["", /nothing in it/],
    ["- a", /not a map/],
    ["kind: Pod\nmetadata: {name: a}", /apiVersion/],
    ["apiVersion: v1\nkind: Pod", /no metadata.name/],
    ["apiVersion: v1\nkind: Pod\nmetadata: {name: a, name: b}", /name is there twice/],
    ["a: [", /./],
  ])("%j is no object", (text, why) => {
    expect(() => objectOf(text)).toThrow(why);
    expect(() => objectOf(text)).toThrow(Problem);
  });

  test("a draft is sent in the version from which it was begun, and under its own name only", () => {
    const base = object();
    const text = textOf({ ...base, metadata: { name: "a", namespace: "n" } });
    expect(sentOf({ base, text }).metadata.resourceVersion).toBe("1");
    const other = textOf({ ...base, metadata: { name: "b", namespace: "n" } });
    expect(() => sentOf({ base, text: other })).toThrow(/cannot be changed/);
  });
});

describe("logs", () => {
  test("what would steer a terminal is left out", () => {
    expect(plain("\u001b[31mred\u001b[0m \u001b]0;title\u0007<b>\u202e\u0000")).toBe("red <b>");
    expect(plain("x".repeat(100_000)).length).toBeLessThan(9000);
  });

  test("the newest ten thousand lines are kept, with their times", () => {
    const ring = new LogRing();
    for (let number = 0; number < 25_000; number += 1) {
      ring.push("web", [`2026-03-01T12:00:00.5Z line ${number}`]);
    }
    expect(ring.lines).toHaveLength(10_000);
    expect(ring.dropped).toBe(15_000);
    expect(ring.lines.at(-1)).toMatchObject({ text: "line 24999", time: "2026-03-01T12:00:00.5Z" });
  });
});

test("a drain leaves what would come back, and tells what is lost", () => {
  const pod = (name: string, more: Partial<KubernetesObject["metadata"]>, spec = {}): KubernetesObject => ({
    ...object({ kind: "Pod", spec }),
    metadata: { name, ...more },
  });
  const owner = (kind: string) => ({
    ownerReferences: [{ apiVersion: "apps/v1", kind, name: "x", uid: "x" }],
  });
  const plan = planOf([
    pod("daemon", owner("DaemonSet")),
    pod("mirror", { annotations: { "kubernetes.io/config.mirror": "x" } }),
    pod("web", owner("ReplicaSet"), { volumes: [{ name: "cache", emptyDir: {} }] }),
    pod("alone", {}),
  ]);
  const names = (pods: readonly KubernetesObject[]) => pods.map(({ metadata }) => metadata.name);
  expect(names(plan.staying)).toEqual(["daemon", "mirror"]);
  expect(names(plan.evicted)).toEqual(["web", "alone"]);
  expect(names(plan.withLocalData)).toEqual(["web"]);
  expect(names(plan.unmanaged)).toEqual(["alone"]);
});

test("states have colours", () => {
  expect(["Running", "CrashLoopBackOff", "2/3", "3/3", "Ready,SchedulingDisabled", "x"].map(toneOf)).toEqual([
    "ok",
    "bad",
    "warn",
    "ok",
    "warn",
    "none",
  ]);
});

test("where one is in YAML is found by indentation", () => {
  const lines = [
    "spec:",
    "  template:",
    "    spec:",
    "      containers:",
    "      - name: web",
    "        ports:",
  ];
  expect(pathAbove(lines, 8)).toEqual(["spec", "template", "spec", "containers"]);
  expect(pathAbove(lines, 10)).toEqual(["spec", "template", "spec", "containers", "ports"]);
  expect(pathAbove(lines, 4)).toEqual(["spec", "template"]);
  expect(pathAbove(lines, 0)).toEqual([]);
});

test("fields are those of the schema, through references and lists", () => {
  const all = {
    Pod: { properties: { spec: { allOf: [{ $ref: "#/components/schemas/Spec" }] } } },
    Spec: {
      properties: { containers: { type: "array", items: { $ref: "#/components/schemas/Container" } } },
    },
    Container: { properties: { image: { type: "string", description: "What runs." } } },
  };
  expect(fieldsAt({ root: all.Pod, all }, ["spec", "containers"])).toEqual([
    { name: "image", type: "string", description: "What runs." },
  ]);
  expect(fieldsAt({ root: all.Pod, all }, ["nowhere", "deeper"])).toEqual([]);
});

test("a shell's address is that of the hub, and hostile names stay one part of it", () => {
  const url = new URL(execUrl("acme.a", "/api/v1/namespaces/n/pods/p", "a&command=rm"));
  expect(url.protocol).toBe("ws:");
  expect(url.pathname).toBe("/k8s/clusters/acme.a/api/v1/namespaces/n/pods/p/exec");
  expect(url.searchParams.get("container")).toBe("a&command=rm");
});
