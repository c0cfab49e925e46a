// How times and amounts read, how rows are sorted and moved through, what the palette finds.

import { expect, test } from "vitest";
import { areas } from "../app/navigation";
import { entries, search } from "../app/palette-entries";
import { deed } from "../audit/deed";
import { ago, bytes, cores, counted } from "./format";
import { moved } from "./table/active-row";
import { compare } from "./table/columns";
import { toggled } from "./table/selection";

test("times and amounts have the largest unit that fits", () => {
  const now = Date.parse("2026-03-01T12:00:00Z");
  expect(ago("2026-03-01T11:59:40Z", now)).toBe("just now");
  expect(ago("2026-03-01T11:58:00Z", now)).toBe("2 minutes ago");
  expect(ago("2026-02-26T12:00:00Z", now)).toBe("3 days ago");
  expect([0, 1023, 1536, 32 * 1024 ** 3].map(bytes)).toEqual(["0 B", "1,023 B", "1.5 KiB", "32 GiB"]);
  expect([1, 5000].map((amount) => counted(amount, "cluster"))).toEqual(["1 cluster", "5,000 clusters"]);
  expect([250, 8000].map(cores)).toEqual(["0.3", "8"]);
});

test("numbers in texts are compared as numbers", () => {
  expect(["v1.10.0", "v1.9.1", "v1.36.3"].sort(compare)).toEqual(["v1.9.1", "v1.10.0", "v1.36.3"]);
  expect([10, 9].sort(compare)).toEqual([9, 10]);
});

test("keys stay within the rows that there are", () => {
  expect(moved("ArrowUp", 0, 5)).toBe(0);
  expect(moved("PageDown", 3, 5)).toBe(4);
  expect(moved("End", 0, 5)).toBe(4);
  expect(moved("x", 0, 5)).toBeUndefined();
  expect(moved("ArrowDown", 0, 0)).toBeUndefined();
});

test("rows are selected one by one, or from the last one to this one", () => {
  const ids = ["a", "b", "c", "d"];
  const all = (selected: ReadonlySet<string>) => [...selected].sort();
  const one = toggled(new Set(), ids, 1);
  expect(all(one)).toEqual(["b"]);
  expect(all(toggled(one, ids, 3, 1))).toEqual(["b", "c", "d"]);
  expect(all(toggled(new Set(ids), ids, 0, 2))).toEqual(["d"]);
});

test("the palette shows first what begins as was typed, and no more than fits", () => {
  const row = (name: string) => ({
    id: `t.${name}`,
    name,
    kind: "hosted" as const,
    state: "Ready",
    conditions: [],
    labels: {},
  });
  const clusters = [
    row("reproduction"),
    row("production"),
    ...Array.from({ length: 100 }, (_, place) => row(`x${place}`)),
  ];
  const all = entries(areas, clusters);
  expect(search(all, "Production")[0]?.items.map(({ label }) => label)).toEqual([
    "production",
    "reproduction",
  ]);
  expect(search(all, "").at(-1)?.items).toHaveLength(12);
  expect(search(all, "no such thing")).toEqual([]);
});

test("what was not allowed was only tried", () => {
  const entry = { id: 1, time: "", actor: "eli", verb: "delete", resource: "clusters", decision: "denied" };
  expect(deed(entry)).toBe("tried to delete the cluster");
  expect(deed({ ...entry, decision: "allowed" })).toBe("deleted the cluster");
  const of = (verb: string, resource: string, decision = "allowed") =>
    deed({ ...entry, verb, resource, decision, path: "/k8s/clusters/edge/apis" });
  expect(of("create", "sessions")).toBe("signed in");
  expect(of("create", "sessions", "denied")).toBe("tried to sign in");
  expect(of("get", "pods/exec")).toBe("opened a shell in the pod");
  expect(of("update", "users/password")).toBe("changed the password of the user");
  expect(of("get", "", "denied")).toBe("tried to get /k8s/clusters/edge/apis");
});
