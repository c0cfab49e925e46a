// What is done with objects, each as kubectl does it.

import { itemPath, type Kind } from "../../kubernetes/kinds";
import type { KubernetesObject } from "../../kubernetes/objects";
import { ask } from "../../kubernetes/request";

export interface Target {
  cluster: string;
  kind: Kind;
  object: KubernetesObject;
}

const mergePatch = "application/merge-patch+json";

function pathOf({ kind, object }: Target): string {
  return itemPath(kind, object.metadata.namespace, object.metadata.name);
}

/** Only the object that is shown: one of the same name that was made since is left alone. */
export function remove(target: Target): Promise<Response> {
  const { uid } = target.object.metadata;
  const body = { propagationPolicy: "Background", ...(uid === undefined ? {} : { preconditions: { uid } }) };
  return ask(target.cluster, pathOf(target), { method: "DELETE", body });
}

export function scale(target: Target, replicas: number): Promise<Response> {
  const body = { spec: { replicas } };
  return ask(target.cluster, `${pathOf(target)}/scale`, { method: "PATCH", type: mergePatch, body });
}

/** Replaces all pods of a workload, as `kubectl rollout restart` does. */
export function restart(target: Target, now: Date): Promise<Response> {
  const annotations = { "kubectl.kubernetes.io/restartedAt": now.toISOString() };
  const body = { spec: { template: { metadata: { annotations } } } };
  return ask(target.cluster, pathOf(target), { method: "PATCH", type: mergePatch, body });
}

/** Whether new pods may come to a node. */
export function cordon(target: Target, isCordoned: boolean): Promise<Response> {
  const body = { spec: { unschedulable: isCordoned ? true : null } };
  return ask(target.cluster, pathOf(target), { method: "PATCH", type: mergePatch, body });
}
