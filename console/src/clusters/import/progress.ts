// How far an import is, from what the hub says of the cluster.

import type { Cluster } from "../../api/hub";
import type { Step } from "../../ui/steps";

const titles = [
  "The hub waits for the agent",
  "The agent is connected",
  "The agent reaches its API server",
] as const;

/** So many steps are done in each state, and whether the next one failed. */
const reached: Record<string, { done: number; isFailed?: true }> = {
  Waiting: { done: 0 },
  Connecting: { done: 2 },
  Lost: { done: 1, isFailed: true },
  Unreachable: { done: 2, isFailed: true },
  Ready: { done: 3 },
};

export function progress(cluster: Cluster | undefined): Step[] {
  const { done, isFailed = false } = reached[cluster?.state ?? "Waiting"] ?? { done: 0 };
  const told = cluster?.conditions.find(
    ({ status, message }) => status === "False" && message !== "",
  )?.message;
  return titles.map((title, position) => {
    if (position < done) {
      return { title, state: "done" };
    }
    if (position > done) {
      return { title, state: "later" };
    }
    return { title, state: isFailed ? "failed" : "now", ...(isFailed && told !== undefined ? { told } : {}) };
  });
}
