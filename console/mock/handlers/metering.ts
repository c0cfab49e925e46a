// What tenants of the played hub use: the same amounts each day, a little more on some.

import type { components } from "../../src/api/schema.d.ts";
import type { Specs } from "../../src/objects/objects.ts";
import type { Handler, World } from "../world.ts";

type Usage = components["schemas"]["Usage"];

const day = 86_400_000;

/** Of one tenant on one day. */
function used(clusters: number, date: number): Omit<Usage, "day" | "tenant"> {
  const seconds = Math.round(clusters * (date % 7 > 4 ? 30_000 : 70_000 + (date % 5) * 3000));
  return {
    controlPlaneSeconds: seconds,
    replicaSeconds: seconds * 2,
    cpuMillicoreSeconds: seconds * 500,
    memoryMebibyteSeconds: seconds * 1024,
    nodeSeconds: seconds * 3,
    nodeCpuMillicoreSeconds: seconds * 24_000,
    nodeMemoryMebibyteSeconds: seconds * 98_304,
    requests: Math.round(seconds / 10),
  };
}

function within(world: World, name: string, tenant: string): boolean {
  const spec = world.objects.of("tenants").get(name)?.spec as Specs["tenants"] | undefined;
  return name === tenant || (spec?.parent != null && within(world, spec.parent, tenant));
}

function added(all: readonly Usage[], key: "day" | "tenant"): Usage[] {
  const sums = new Map<string, Usage>();
  for (const use of all) {
    const name = use[key] ?? "";
    const sum = sums.get(name);
    const { day: _, tenant: __, ...amounts } = use;
    const next = Object.entries(amounts).map(([each, amount]) => [
      each,
      Number(amount) + Number(sum?.[each as keyof Usage] ?? 0),
    ]);
    sums.set(name, { ...Object.fromEntries(next), [key]: name } as Usage);
  }
  return [...sums.values()];
}

export const meteringHandlers: Record<string, Handler> = {
  "GET /api/v1/metering": (world, { query }) => {
    const to = query.get("to") ?? new Date().toISOString().slice(0, 10);
    const from = query.get("from") ?? to;
    const tenant = query.get("tenant");
    const all: Usage[] = [];
    for (const [place, name] of [...world.objects.of("tenants").keys()].entries()) {
      if (tenant !== null && !within(world, name, tenant)) {
        continue;
      }
      for (let time = Date.parse(from); time <= Date.parse(to); time += day) {
        const date = new Date(time).toISOString().slice(0, 10);
        all.push({ ...used(10 - place, time / day), day: date, tenant: name });
      }
    }
    const by = query.get("groupBy");
    const items = by === "day" || by === "tenant" ? added(all, by) : all;
    return { status: 200, body: { from, to, items } };
  },
  "GET /api/v1/metering/export": () =>
    new Response("day,tenant,cluster,controlPlaneSeconds\n", { headers: { "content-type": "text/csv" } }),
};
