// Data stores of the played hub, and what happened to the control planes of its clusters.

import type { components } from "../../src/api/schema.d.ts";
import { type Handler, problem, type World } from "../world.ts";

type Schemas = components["schemas"];
type Store = Schemas["DataStoreRow"];

const minute = 60_000;
const created = "2026-01-12T09:30:00Z";

function condition(type: string, isSo: boolean, reason: string, message: string): Schemas["RowCondition"] {
  return { type, status: isSo ? "True" : "False", reason, message };
}

const seeds: Omit<Store, "controlPlanes">[] = [
  {
    name: "etcd-a",
    driver: "etcd",
    endpoints: ["etcd-a-0.etcd:2379", "etcd-a-1.etcd:2379", "etcd-a-2.etcd:2379"],
    ready: true,
    conditions: [
      condition("Reachable", true, "Reachable", "3 of 3 members answer"),
      condition("kamaji.clastix.io/DataStoreAllowedDeletion", false, "InUse", "control planes use it"),
    ],
    capacity: 40,
    created,
  },
  {
    name: "gold",
    driver: "PostgreSQL",
    endpoints: ["gold.databases:5432"],
    ready: true,
    conditions: [condition("Reachable", true, "Reachable", "the store answers its administrator")],
    created,
  },
  {
    name: "old",
    driver: "MySQL",
    endpoints: ["old.databases:3306"],
    ready: false,
    conditions: [condition("Reachable", false, "Unreachable", "connection refused; it is tried again")],
    capacity: 10,
    created,
  },
];

/** Clusters that say nothing else are on the first store. */
function on(world: World, store: string) {
  const rows = [...world.inventory.rows.values()].filter(({ kind }) => kind === "hosted");
  return rows.filter(({ dataStore }) => (dataStore ?? seeds[0]?.name) === store);
}

function row(world: World, seed: Omit<Store, "controlPlanes">): Store {
  return { ...seed, controlPlanes: on(world, seed.name).length };
}

export const storeHandlers: Record<string, Handler> = {
  "GET /api/v1/datastores": (world) => {
    const items = seeds.map((seed) => row(world, seed));
    return { status: 200, body: { items, total: items.length } };
  },
  "GET /api/v1/datastores/{name}": (world, { variables }) => {
    const found = seeds.find(({ name }) => name === variables.name);
    if (found === undefined) {
      return problem(404, "not-found", `there is no datastore \`${variables.name}\`, or you may not see it`);
    }
    const clusters = on(world, found.name).map(({ id, tenant, state }) => ({
      id,
      tenant: tenant ?? null,
      state,
    }));
    return { status: 200, body: { ...row(world, found), clusters } };
  },
  "GET /api/v1/clusters/{name}/events": (_, { variables }) => {
    const name = variables.name?.split(".")[1] ?? "";
    const ago = (minutes: number) => new Date(Date.now() - minutes * minute).toISOString();
    const pod = `Pod ${name}-7d9f8b6c5-x2x4z`;
    const items: Schemas["EventRow"][] = [
      {
        id: "3",
        time: ago(1),
        count: 4,
        kind: "Warning",
        reason: "BackOff",
        message: "Back-off restarting failed container kube-scheduler",
        regarding: pod,
        source: "kubelet",
      },
      {
        id: "2",
        time: ago(12),
        count: 1,
        kind: "Normal",
        reason: "Ready",
        message: "all parts of the control plane are ready",
        regarding: `TenantControlPlane ${name}`,
        source: "flotilla-operator",
      },
      {
        id: "1",
        time: ago(14),
        count: 1,
        kind: "Normal",
        reason: "Scheduled",
        message: `Successfully assigned acme/${name}-7d9f8b6c5-x2x4z to node-2`,
        regarding: pod,
        source: "default-scheduler",
      },
    ];
    return { status: 200, body: { items } };
  },
  "GET /api/v1/clusters/{name}/certificates": () => {
    const days = (count: number) => new Date(Date.now() + count * 1440 * minute).toISOString();
    const items = [
      { name: "ca", ends: days(3600) },
      { name: "api-server-certificate", ends: days(4) },
      { name: "admin-kubeconfig", ends: days(300) },
    ];
    return { status: 200, body: { items } };
  },
};
