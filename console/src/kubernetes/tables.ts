// Lists as the server draws them: its own columns and cells (`Table` of meta/v1).

import type { Metadata } from "./objects";

export const asTable = "application/json;as=Table;v=v1;g=meta.k8s.io, application/json";

export interface TableColumn {
  name: string;
  type: string;
  format?: string;
  description?: string;
  /** Shown always if it is 0. */
  priority: number;
}

export interface Table {
  columnDefinitions?: TableColumn[];
  rows?: { cells: unknown[]; object: { metadata: Metadata } }[];
  metadata?: { resourceVersion?: string; continue?: string; remainingItemCount?: number };
}

/** One object in a list; without all that lists do not show. */
export interface Row {
  /** Namespace and name. */
  id: string;
  name: string;
  namespace: string | undefined;
  created: string | undefined;
  owners: readonly string[];
  cells: readonly unknown[];
}

export function rowsOf({ rows = [] }: Table): Row[] {
  return rows.map(({ cells, object: { metadata } }) => ({
    id: `${metadata.namespace ?? ""}/${metadata.name}`,
    name: metadata.name,
    namespace: metadata.namespace,
    created: metadata.creationTimestamp,
    owners: (metadata.ownerReferences ?? []).map(({ uid }) => uid),
    cells,
  }));
}

/** The version that an event of a watch brings, wherever the server says it. */
export function versionOf({ metadata, rows }: Table): string | undefined {
  return rows?.[0]?.object.metadata.resourceVersion ?? (metadata?.resourceVersion || undefined);
}
