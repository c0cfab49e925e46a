// What is done with clusters, one or many.

import { answer, type ChangedCluster, type Cluster, hub } from "../api/hub";
import type { IdempotencyKeys } from "../api/idempotency";

const of = (id: string) => ({ path: { name: id } });

export function sleep({ id }: Cluster) {
  return hub.POST("/api/v1/clusters/{name}/sleep", { params: of(id) });
}

export function wake({ id }: Cluster) {
  return hub.POST("/api/v1/clusters/{name}/wake", { params: of(id) });
}

/** Deletes a hosted cluster with all that is in it; an imported one is forgotten. */
export function remove({ id, kind }: Cluster) {
  return kind === "hosted"
    ? hub.DELETE("/api/v1/clusters/{name}", { params: of(id) })
    : hub.DELETE("/api/v1/imports/{name}", { params: of(id) });
}

/** Upgrades or scales a hosted cluster. */
export function change({ id }: Cluster, body: ChangedCluster, keys: IdempotencyKeys) {
  const header = { "Idempotency-Key": keys.of({ id, body }) };
  return hub.PATCH("/api/v1/clusters/{name}", { params: { ...of(id), header }, body });
}

/** Sets labels; null takes one away. */
export async function label({ id, kind }: Cluster, labels: Record<string, string | null>): Promise<void> {
  if (kind === "hosted") {
    await hub.PATCH("/api/v1/clusters/{name}", { params: of(id), body: { labels } });
    return;
  }
  const found = await answer(hub.GET("/api/v1/imports/{name}", { params: of(id) }));
  const kept = Object.entries({ ...found.labels, ...labels }).filter(
    (pair): pair is [string, string] => pair[1] !== null,
  );
  await hub.PUT("/api/v1/imports/{name}", {
    params: of(id),
    headers: { "If-Match": found.version },
    body: { name: id, spec: found.spec, labels: Object.fromEntries(kept) },
  });
}

/** So many requests are under way at once. */
const lanes = 4;

export interface Outcome {
  done: Cluster[];
  failed: { cluster: Cluster; error: unknown }[];
}

/** Does something with each of many; what fails keeps nothing else from being done. */
export async function each(
  clusters: readonly Cluster[],
  action: (cluster: Cluster) => Promise<unknown>,
  onProgress: (finished: number) => void,
): Promise<Outcome> {
  const outcome: Outcome = { done: [], failed: [] };
  const queue = [...clusters];
  const work = async () => {
    for (let cluster = queue.shift(); cluster !== undefined; cluster = queue.shift()) {
      try {
        await action(cluster);
        outcome.done.push(cluster);
      } catch (error) {
        outcome.failed.push({ cluster, error });
      }
      onProgress(outcome.done.length + outcome.failed.length);
    }
  };
  await Promise.all(Array.from({ length: lanes }, work));
  return outcome;
}
