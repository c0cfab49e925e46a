// Clusters to show: the same ones each time, in every state that there is.

import type { components } from "../src/api/schema.d.ts";

type Cluster = components["schemas"]["ClusterRow"];
type Condition = components["schemas"]["RowCondition"];

/** When all of it was made and seen, before the time that is given. */
const minute = 60_000;
const gibibyte = 1024 ** 3;

const tenants = ["acme", "acme-labs", "borealis", "cobalt", "delta-works"];
const purposes = ["production", "staging", "build", "analytics", "edge", "training", "payments", "search"];
const versions = ["v1.36.3", "v1.36.3", "v1.36.1", "v1.35.4"];

const hosted: { state: string; conditions: Condition[] }[] = [
  { state: "Ready", conditions: [condition("Ready", "True", "AllReady", "")] },
  { state: "Ready", conditions: [condition("Ready", "True", "AllReady", "")] },
  { state: "Ready", conditions: [condition("Ready", "True", "AllReady", "")] },
  {
    state: "Sleeping",
    conditions: [condition("Ready", "False", "Asleep", "The cluster sleeps; wake it to use it.")],
  },
  {
    state: "Upgrading",
    conditions: [condition("Ready", "True", "RollingOut", "One of 2 pods has v1.36.3.")],
  },
  {
    state: "Provisioning",
    conditions: [condition("Ready", "False", "WaitsForStart", "Third in the queue of starts.")],
  },
  {
    state: "NotReady",
    conditions: [
      condition(
        "Ready",
        "False",
        "DataStoreUnreachable",
        "The data store etcd-a does not answer; see its conditions.",
      ),
      condition("DataStoreReady", "False", "NoQuorum", "1 of 3 members answers; bring back the others."),
    ],
  },
];

const imported: { state: string; conditions: Condition[] }[] = [
  {
    state: "Ready",
    conditions: [
      condition("Connected", "True", "AgentConnected", ""),
      condition("Reachable", "True", "Answers", ""),
    ],
  },
  {
    state: "Lost",
    conditions: [
      condition(
        "Connected",
        "False",
        "AgentLost",
        "No agent has been connected for 12 minutes; look at its pod.",
      ),
    ],
  },
];

function condition(type: string, status: string, reason: string, message: string): Condition {
  return { type, status, reason, message };
}

/** So many clusters, as they were at a time in milliseconds. */
export function fleet(count: number, now: number): Cluster[] {
  return Array.from({ length: count }, (_, position) => one(position, now));
}

function one(position: number, now: number): Cluster {
  const isHosted = position % 5 !== 4;
  const kinds = isHosted ? hosted : imported;
  const { state, conditions } = kinds[Math.floor(position / 5 + position) % kinds.length] ?? {
    state: "Ready",
    conditions: [],
  };
  const tenant = tenants[position % tenants.length] ?? "acme";
  const name = `${purposes[position % purposes.length]}-${String(Math.floor(position / purposes.length) + 1).padStart(2, "0")}`;
  const nodes = 1 + (position % 12);
  const isKnown = state !== "Provisioning" && state !== "Sleeping";
  return {
    id: isHosted ? `${tenant}.${name}` : `${tenant}-${name}`,
    name,
    kind: isHosted ? "hosted" : "imported",
    tenant,
    state,
    version: versions[position % versions.length] ?? null,
    ...(isHosted
      ? {
          replicas: state === "Sleeping" ? 0 : 2,
          dataStore: position % 3 === 1 ? "gold" : "etcd-a",
          endpoint: `10.64.${Math.floor(position / 250)}.${position % 250}:6443`,
        }
      : {}),
    ...(isKnown ? measured(position, nodes, state, now) : {}),
    conditions,
    labels: {
      tier: position % 3 === 0 ? "gold" : "standard",
      region: position % 2 === 0 ? "north" : "south",
    },
    created: new Date(now - (position + 1) * 90 * minute).toISOString(),
  };
}

function measured(position: number, nodes: number, state: string, now: number): Partial<Cluster> {
  const have = { cpuMilli: nodes * 8000, memoryBytes: nodes * 32 * gibibyte, pods: nodes * 110 };
  const share = (20 + ((position * 37) % 70)) / 100;
  const used = {
    cpuMilli: Math.round(have.cpuMilli * share),
    memoryBytes: Math.round(have.memoryBytes * share),
    pods: Math.round(have.pods * share),
  };
  return {
    nodes: { total: nodes, ready: position % 11 === 0 ? nodes - 1 : nodes },
    capacity: have,
    allocatable: have,
    usage: used,
    lastSeen: new Date(now - (state === "Lost" ? 12 : 0.5) * minute).toISOString(),
  };
}
