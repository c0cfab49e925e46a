// Decisions about clusters: who needs somebody, which are shown, what an upgrade means, how far an import is.

import { expect, test } from "vitest";
import { fleet } from "../../mock/fleet.ts";
import type { Cluster } from "../api/hub";
import { attention, capacity, countStates } from "../fleet/summary";
import { bodyOf, defaults, manifestOf } from "./create/new-cluster";
import { judge } from "./detail/upgrade";
import { matches, readFilter, readSort } from "./filter";
import { progress } from "./import/progress";
import { clusterName, clusterVersion, labelList, labelName } from "./rules";
import { stateOf, troubleOf } from "./state";
import { hintOf, offered } from "./versions";

const row = (more: Partial<Cluster>): Cluster => ({
  id: "a",
  name: "a",
  kind: "hosted",
  state: "Ready",
  conditions: [],
  labels: {},
  ...more,
});

test("a cluster that is broken tells the cause that it knows, and else what to look at", () => {
  const message = "The data store does not answer.";
  const conditions = [{ type: "Ready", status: "False", reason: "Down", message }];
  expect(troubleOf(row({ state: "NotReady", conditions }))).toEqual({
    tone: "bad",
    cause: message,
    next: undefined,
  });
  expect(troubleOf(row({ state: "Lost" }))?.next).toMatch(/agent/);
  expect(troubleOf(row({ nodes: { total: 3, ready: 1 } }))).toMatchObject({
    tone: "warn",
    cause: "2 nodes are not ready.",
  });
  for (const state of ["Ready", "Sleeping", "Upgrading"]) {
    expect(troubleOf(row({ state }))).toBeUndefined();
  }
});

test("a state of a newer hub is shown as it is", () => {
  expect(stateOf("Levitating")).toEqual({ tone: "none", label: "Levitating" });
});

test("labels narrow as selectors of Kubernetes do", () => {
  const rows = [
    row({ id: "g", labels: { tier: "gold", edge: "" } }),
    row({ id: "s", labels: { tier: "silver" } }),
    row({ id: "n" }),
  ];
  const ids = (labels: string) =>
    matches(rows, readFilter(new URLSearchParams({ labels }))).map(({ id }) => id);
  expect(ids("tier=gold")).toEqual(["g"]);
  expect(ids("tier!=gold")).toEqual(["s", "n"]);
  expect(ids("edge, tier=gold")).toEqual(["g"]);
  expect(ids(" , ")).toEqual(["g", "s", "n"]);
});

test("search wants all words, wherever they stand", () => {
  const rows = [row({ id: "acme.build", tenant: "acme", version: "v1.36.3" }), row({ id: "other.build" })];
  const found = matches(rows, readFilter(new URLSearchParams({ search: "BUILD acme" })));
  expect(found.map(({ id }) => id)).toEqual(["acme.build"]);
});

test("order comes from the address, by name without it", () => {
  expect(readSort(new URLSearchParams())).toEqual({ id: "name", isBackwards: false });
  expect(readSort(new URLSearchParams({ sort: "-created" }))).toEqual({ id: "created", isBackwards: true });
});

test("Kubernetes goes up one minor version at a time, and never back", () => {
  expect(judge("v1.35.4", "v1.36.3", 2).isPossible).toBe(true);
  expect(judge("v1.35.4", "v1.37.0", 2)).toEqual({
    isPossible: false,
    told: ["Kubernetes goes up one minor version at a time: v1.36 is next."],
  });
  expect(judge("v1.36.3", "v1.36.1", 2).isPossible).toBe(false);
  expect(judge("v1.36.3", "v1.36.3", 2).told[0]).toMatch(/already/);
  expect(judge("v1.36.3", "v1.36.4", 0).told).toEqual([
    "The cluster sleeps: it has the new version when it is woken.",
  ]);
  expect(judge("", "v1.36.4", 1).isPossible).toBe(true);
});

test("an import is as far as its cluster says", () => {
  const states = (cluster: Cluster | undefined) => progress(cluster).map(({ state }) => state);
  expect(states(undefined)).toEqual(["now", "later", "later"]);
  expect(states(row({ state: "Ready" }))).toEqual(["done", "done", "done"]);
  const conditions = [
    { type: "Connected", status: "False", reason: "AgentLost", message: "look at its pod" },
  ];
  expect(progress(row({ state: "Lost", conditions }))[1]).toMatchObject({
    state: "failed",
    told: "look at its pod",
  });
});

test("what a form begins with works, and empty fields are left out", () => {
  const typed = {
    ...defaults(
      [
        { minor: "v1.36", versions: [] },
        { minor: "v1.35", versions: ["v1.35.4", "v1.35.1"] },
      ],
      ["acme"],
    ),
    name: "one",
  };
  expect(typed).toMatchObject({ tenant: "acme", version: "v1.35.4", replicas: 2 });
  expect(bodyOf(typed)).not.toHaveProperty("dataStore");
  expect(bodyOf({ ...typed, labels: "tier=gold, edge" }).labels).toEqual({ tier: "gold", edge: "" });
  expect(manifestOf(typed)).toMatchObject({ metadata: { name: "one", namespace: "acme" } });
  expect(defaults([], []).version).toMatch(clusterVersion.pattern.value);
});

test("versions that run are offered, and it is said which others may be typed", () => {
  const minors = (...numbers: number[]) =>
    numbers.map((number) => ({ minor: `v1.${number}`, versions: [`v1.${number}.2`, `v1.${number}.1`] }));
  expect(offered(minors(36, 35))).toEqual(["v1.36.2", "v1.36.1", "v1.35.2", "v1.35.1"]);
  expect(hintOf(minors(36, 35, 34))).toMatch(/Any of v1\.34 to v1\.36 may/);
  expect(hintOf(minors(36, 34))).toMatch(/Any of v1\.36, v1\.34 may/);
  expect(hintOf(minors(36))).toMatch(/Any of v1\.36 may/);
  expect(hintOf([])).toBe("As in v1.36.3.");
});

test("names and labels are judged as Kubernetes judges them", () => {
  const isName = (text: string) => clusterName.pattern.value.test(text);
  expect(["a", "a-1", "-a", "a-", "A", "a.b"].map(isName)).toEqual([true, true, false, false, false, false]);
  expect(labelName.validate("example.com/team")).toBe(true);
  expect(labelName.validate("a/b/c")).not.toBe(true);
  expect(labelList.validate("tier=gold, region=no rth")).toMatch(/^region: /);
});

test("the fleet is counted by state, and its use only where it is known", () => {
  const rows = fleet(40, 0);
  expect(countStates(rows).reduce((sum, { count }) => sum + count, 0)).toBe(40);
  expect(countStates(rows)[0]?.state).toBe("Ready");
  expect(attention(rows).every(({ cause }) => cause !== "")).toBe(true);
  const use = { cpuMilli: 1000, memoryBytes: 1, pods: 1 };
  expect(capacity([row({ usage: use, allocatable: use }), row({ allocatable: use })])).toMatchObject({
    measured: 1,
    total: { cpuMilli: 1000 },
  });
});
