// Where pages of the explorer are.

import type { Kind } from "../kubernetes/kinds";

/** Stands for the namespace of what is in none; no namespace is called so. */
export const noNamespace = "-";

export function explorerPath(cluster: string): string {
  return `/clusters/${encodeURIComponent(cluster)}/explorer`;
}

export function listPath(cluster: string, kind: Pick<Kind, "id">, namespace?: string): string {
  const query = namespace === undefined ? "" : `?namespace=${encodeURIComponent(namespace)}`;
  return `${explorerPath(cluster)}/${encodeURIComponent(kind.id)}${query}`;
}

export function objectPath(
  cluster: string,
  kind: Pick<Kind, "id">,
  namespace: string | undefined,
  name: string,
): string {
  const parts = [kind.id, namespace ?? noNamespace, name].map(encodeURIComponent);
  return `${explorerPath(cluster)}/${parts.join("/")}`;
}
