// Objects of Kubernetes, as far as the console knows what all of them have.

export interface Owner {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
}

export interface Metadata {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: Owner[];
  finalizers?: string[];
  managedFields?: unknown;
}

export interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

/** Anything that a cluster keeps. */
export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: Metadata;
  spec?: Record<string, unknown>;
  status?: Record<string, unknown> & { conditions?: Condition[] };
  [field: string]: unknown;
}

/** What lies at a path of fields, if something does. */
export function at(value: unknown, ...fields: (string | number)[]): unknown {
  return fields.reduce<unknown>(
    (found, field) =>
      typeof found === "object" && found !== null
        ? (found as Record<string | number, unknown>)[field]
        : undefined,
    value,
  );
}

/** A list at a path of fields; none if there is no list. */
export function listAt<T>(value: unknown, ...fields: (string | number)[]): T[] {
  const found = at(value, ...fields);
  return Array.isArray(found) ? (found as T[]) : [];
}

export function textAt(value: unknown, ...fields: (string | number)[]): string | undefined {
  const found = at(value, ...fields);
  return typeof found === "string" ? found : undefined;
}

/** The object as a person edits it: without what the server keeps for itself. */
export function withoutManagedFields(object: KubernetesObject): KubernetesObject {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
