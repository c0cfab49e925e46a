// Draining a node: which pods go, which stay, and evicting them one after the other as budgets allow.

import { Problem } from "../../api/problem";
import { itemPath, type Kind } from "../../kubernetes/kinds";
import { type KubernetesObject, listAt } from "../../kubernetes/objects";
import { ask } from "../../kubernetes/request";

export interface Plan {
  /** Pods that are evicted. */
  evicted: readonly KubernetesObject[];
  /** Pods of DaemonSets and of the kubelet itself, which would come back at once. */
  staying: readonly KubernetesObject[];
  /** Of those that go: nothing makes them anew. */
  unmanaged: readonly KubernetesObject[];
  /** Of those that go: what they keep on the node's disk is lost. */
  withLocalData: readonly KubernetesObject[];
}

function isStaying({ metadata }: KubernetesObject): boolean {
  const isMirror = metadata.annotations?.["kubernetes.io/config.mirror"] !== undefined;
  return isMirror || (metadata.ownerReferences ?? []).some(({ kind }) => kind === "DaemonSet");
}

function isOver({ status }: KubernetesObject): boolean {
  return status?.phase === "Succeeded" || status?.phase === "Failed";
}

export function planOf(pods: readonly KubernetesObject[]): Plan {
  const staying = pods.filter(isStaying);
  const evicted = pods.filter((pod) => !isStaying(pod));
  const alive = evicted.filter((pod) => !isOver(pod));
  return {
    evicted,
    staying,
    unmanaged: alive.filter(({ metadata }) => (metadata.ownerReferences ?? []).length === 0),
    withLocalData: alive.filter((pod) =>
      listAt<{ emptyDir?: unknown }>(pod, "spec", "volumes").some(({ emptyDir }) => emptyDir !== undefined),
    ),
  };
}

/** How far a pod is; what hinders it is told in words. */
export type Progress = { state: "waiting" } | { state: "gone" } | { state: "hindered"; why: string };

/** Milliseconds until a budget is asked again. */
const again = 5000;

type Tell = (pod: KubernetesObject, progress: Progress) => void;

/** Asks for each eviction until all are granted or it is aborted. */
export async function evictAll(
  cluster: string,
  kind: Kind,
  pods: readonly KubernetesObject[],
  tell: Tell,
  signal: AbortSignal,
): Promise<void> {
  let left = pods;
  while (left.length > 0 && !signal.aborted) {
    left = await evictOnce(cluster, kind, left, tell, signal);
    if (left.length > 0) {
      await new Promise((resolve) => setTimeout(resolve, again));
    }
  }
}

/** What becomes better by itself. */
const passing = new Set<string>(["too-many", "unavailable", "away"]);

/** Those that are to be asked for again. */
async function evictOnce(
  cluster: string,
  kind: Kind,
  pods: readonly KubernetesObject[],
  tell: Tell,
  signal: AbortSignal,
): Promise<KubernetesObject[]> {
  const hindered: KubernetesObject[] = [];
  for (const pod of pods) {
    const problem = signal.aborted ? undefined : await evict(cluster, kind, pod, signal);
    if (!signal.aborted) {
      tell(pod, problem === undefined ? { state: "gone" } : { state: "hindered", why: problem.message });
    }
    if (problem !== undefined && passing.has(problem.code)) {
      hindered.push(pod);
    }
  }
  return hindered;
}

/** What hinders it, if something does. */
async function evict(
  cluster: string,
  kind: Kind,
  { metadata: { name, namespace } }: KubernetesObject,
  signal: AbortSignal,
): Promise<Problem | undefined> {
  const body = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name, namespace } };
  try {
    await ask(cluster, `${itemPath(kind, namespace, name)}/eviction`, { method: "POST", body, signal });
    return undefined;
  } catch (error) {
    const problem = Problem.from(error);
    return problem.code === "not-found" ? undefined : problem;
  }
}
