// The played hub takes and answers what the description of the real one says.

import { expect, test } from "vitest";
import { faultOfSchema, find } from "./description.ts";
import { fleet } from "./fleet.ts";
import { handlers } from "./handlers.ts";
import { MockHub } from "./hub.ts";

test("its clusters are as described", () => {
  expect(fleet(40, 0).map((cluster) => faultOfSchema("ClusterRow", cluster))).toEqual(
    Array(40).fill(undefined),
  );
});

test("what it plays is described", () => {
  for (const key of Object.keys(handlers)) {
    const [method = "", path = ""] = key.split(" ");
    expect(find(method, path)?.key).toBe(key);
  }
});

test("it refuses what the hub refuses", async () => {
  const hub = new MockHub({ user: "" });
  const post = (path: string, body: unknown) =>
    hub.fetch(new Request(`http://hub${path}`, { method: "POST", body: JSON.stringify(body) }));
  expect((await hub.fetch(new Request("http://hub/api/v1/tenants"))).status).toBe(401);
  expect((await post("/api/v1/session", { user: "a", password: "b", more: 1 })).status).toBe(422);
  await post("/api/v1/session", { user: "dana", password: "correct horse" });
  expect((await post("/api/v1/keys", { name: "ci", days: 1 })).status).toBe(403);
});
