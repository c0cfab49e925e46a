// What is to be said of all clusters together.

import type { Cluster } from "../api/hub";
import { stateNames, type Trouble, troubleOf } from "../clusters/state";

export interface StateCount {
  state: string;
  count: number;
}

/** How many clusters are in each state, in the order in which states are shown. */
export function countStates(rows: readonly Cluster[]): StateCount[] {
  const counts = new Map<string, number>();
  for (const { state } of rows) {
    counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  const place = (state: string) =>
    stateNames.includes(state) ? stateNames.indexOf(state) : stateNames.length;
  return [...counts]
    .map(([state, count]) => ({ state, count }))
    .sort((one, other) => place(one.state) - place(other.state));
}

export interface Troubled extends Trouble {
  cluster: Cluster;
}

/** Clusters that need somebody, those of the longest standing first. */
export function attention(rows: readonly Cluster[]): Troubled[] {
  return rows
    .flatMap((cluster) => {
      const trouble = troubleOf(cluster);
      return trouble === undefined ? [] : [{ cluster, ...trouble }];
    })
    .sort((one, other) => (one.cluster.lastSeen ?? "").localeCompare(other.cluster.lastSeen ?? ""));
}

export interface Use {
  cpuMilli: number;
  memoryBytes: number;
  pods: number;
}

export interface Capacity {
  used: Use;
  total: Use;
  /** Clusters of which the use is known; only these count. */
  measured: number;
}

/** Use and capacity of those clusters where both are known. */
export function capacity(rows: readonly Cluster[]): Capacity {
  const sum: Capacity = {
    used: { cpuMilli: 0, memoryBytes: 0, pods: 0 },
    total: { cpuMilli: 0, memoryBytes: 0, pods: 0 },
    measured: 0,
  };
  for (const { usage, allocatable } of rows) {
    if (usage != null && allocatable != null) {
      add(sum.used, usage);
      add(sum.total, allocatable);
      sum.measured += 1;
    }
  }
  return sum;
}

function add(sum: Use, more: Use): void {
  sum.cpuMilli += more.cpuMilli;
  sum.memoryBytes += more.memoryBytes;
  sum.pods += more.pods;
}
