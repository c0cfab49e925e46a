// Tenants of the played hub: a tree with one that is full, one that is suspended, and one that leaves.

import type { Seed } from "../objects.ts";

interface Use {
  clusters: number;
  controlPlaneReplicas: number;
  cpu: string;
  memory: string;
  workers: number;
}

const use = (clusters: number): Use => ({
  clusters,
  controlPlaneReplicas: clusters * 2,
  cpu: `${clusters * 500}m`,
  memory: `${clusters}Gi`,
  workers: clusters * 3,
});

const well = [
  { type: "Ready", status: "True", reason: "Active", message: "" },
  { type: "WithinQuota", status: "True", reason: "WithinQuota", message: "" },
];

export const tenants: Seed<"tenants"> = {
  acme: {
    spec: {
      displayName: "Acme Ltd.",
      quota: {
        clusters: 20,
        controlPlaneReplicas: 40,
        cpu: "16",
        memory: "32Gi",
        versions: ["v1.35", "v1.36"],
      },
      state: "Active",
      deletionGracePeriod: "72h",
    },
    status: { conditions: well, above: [], children: 2, own: use(10), total: use(16) },
  },
  "acme-labs": {
    spec: {
      displayName: "Acme, laboratories",
      parent: "acme",
      quota: { clusters: 6, workers: 20 },
      state: "Active",
    },
    status: {
      conditions: [
        well[0],
        {
          type: "WithinQuota",
          status: "False",
          reason: "OverQuota",
          message: "It has 24 workers of 20: take some away, or raise the quota.",
        },
      ],
      above: ["acme"],
      children: 1,
      own: use(5),
      total: { ...use(6), workers: 24 },
    },
  },
  "acme-labs-night": {
    spec: { parent: "acme-labs", state: "Active" },
    status: { conditions: well, above: ["acme", "acme-labs"], children: 0, own: use(1), total: use(1) },
  },
  borealis: {
    spec: { displayName: "Borealis", quota: { clusters: 10 }, state: "Active" },
    status: { conditions: well, above: [], children: 0, own: use(9), total: use(9) },
  },
  cobalt: {
    spec: { displayName: "Cobalt GmbH", quota: { clusters: 30 }, state: "Suspended" },
    status: {
      conditions: [
        {
          type: "Ready",
          status: "False",
          reason: "Suspended",
          message: "Its control planes sleep until its state is Active again.",
        },
      ],
      above: [],
      children: 0,
      own: use(9),
      total: use(9),
    },
  },
  "delta-works": {
    spec: { state: "Leaving", deletionGracePeriod: "72h" },
    status: {
      conditions: [
        {
          type: "Ready",
          status: "False",
          reason: "Leaving",
          message: "It is deleted when its time is over.",
        },
      ],
      above: [],
      children: 0,
      own: use(9),
      total: use(9),
      leavesAt: "2026-12-02T09:00:00Z",
    },
  },
};
