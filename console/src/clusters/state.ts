// What the states of clusters mean to whoever looks at many of them.

import type { Cluster, ClusterCondition } from "../api/hub";
import type { Tone } from "../ui/badge";

interface State {
  tone: Tone;
  label: string;
  /** What to do when nothing that the cluster says tells it. */
  next?: string;
}

const states: Record<string, State> = {
  Ready: { tone: "ok", label: "Ready" },
  Sleeping: { tone: "rest", label: "Sleeping" },
  Provisioning: { tone: "busy", label: "Starting" },
  Upgrading: { tone: "busy", label: "Upgrading" },
  Migrating: { tone: "busy", label: "Moving" },
  CertificateAuthorityRotating: { tone: "busy", label: "Rotating certificates" },
  Restoring: { tone: "busy", label: "Restoring" },
  Transferring: { tone: "busy", label: "Changing tenant" },
  Waiting: { tone: "busy", label: "Not imported", next: "Run the import command in the cluster." },
  Connecting: { tone: "busy", label: "Connecting" },
  WriteLimited: {
    tone: "warn",
    label: "Writes limited",
    next: "Delete objects in the cluster, or raise its limit.",
  },
  RestoreFailed: {
    tone: "bad",
    label: "Restore failed",
    next: "See its condition Restored, then restore another backup.",
  },
  NotReady: { tone: "bad", label: "Not ready", next: "See the conditions of the cluster." },
  Lost: { tone: "bad", label: "Lost", next: "See whether the agent's pod runs, and reaches the hub." },
  Unreachable: {
    tone: "bad",
    label: "Unreachable",
    next: "See whether the cluster's API server answers its agent.",
  },
};

/** States in the order in which they are shown. */
export const stateNames: readonly string[] = Object.keys(states);

export function stateOf(name: string): State {
  return states[name] ?? { tone: "none", label: name };
}

/** What keeps a cluster from being well. */
export interface Trouble {
  tone: "bad" | "warn";
  cause: string;
  next: string | undefined;
}

/** Conditions that are true in a cluster that is well. */
function isFault(condition: ClusterCondition): boolean {
  return condition.status === "False" && condition.message !== "";
}

/** Why a cluster needs somebody, if it does. */
export function troubleOf(cluster: Cluster): Trouble | undefined {
  const { tone, label, next } = stateOf(cluster.state);
  if (tone === "bad" || tone === "warn") {
    const fault = cluster.conditions.find(isFault);
    return {
      tone,
      cause: fault?.message ?? `The cluster is ${label.toLowerCase()}.`,
      next: fault === undefined ? next : undefined,
    };
  }
  const nodes = cluster.nodes;
  if (tone === "ok" && nodes != null && nodes.ready < nodes.total) {
    const away = nodes.total - nodes.ready;
    const cause = away === 1 ? "One node is not ready." : `${away} nodes are not ready.`;
    return { tone: "warn", cause, next: "Look at the kubelet of each of them." };
  }
  return undefined;
}
