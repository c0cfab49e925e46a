// Merging what somebody typed with what somebody else saved meanwhile, field by field.

import type { KubernetesObject } from "../../kubernetes/objects";

export interface Merged {
  object: KubernetesObject;
  /** Fields that both changed, each in another way; the typed one is in `object`. */
  conflicts: readonly string[];
}

type Fields = Record<string, unknown>;

/** What only the server writes: its newest is taken. */
const servers = new Set([
  "status",
  "metadata.resourceVersion",
  "metadata.generation",
  "metadata.managedFields",
]);

export function merge(base: KubernetesObject, yours: KubernetesObject, theirs: KubernetesObject): Merged {
  const conflicts: string[] = [];
  const object = mergeFields(base, yours, theirs, "", conflicts) as KubernetesObject;
  return { object, conflicts };
}

function mergeFields(base: Fields, yours: Fields, theirs: Fields, path: string, conflicts: string[]): Fields {
  const result: Fields = {};
  for (const name of new Set([...Object.keys(yours), ...Object.keys(theirs)])) {
    const place = path === "" ? name : `${path}.${name}`;
    const value = servers.has(place)
      ? theirs[name]
      : mergeValue(base[name], yours[name], theirs[name], place, conflicts);
    if (value !== undefined) {
      result[name] = value;
    }
  }
  return result;
}

function mergeValue(
  base: unknown,
  yours: unknown,
  theirs: unknown,
  place: string,
  conflicts: string[],
): unknown {
  if (isSame(yours, theirs) || isSame(theirs, base)) {
    return yours;
  }
  if (isSame(yours, base)) {
    return theirs;
  }
  if (isFields(yours) && isFields(theirs)) {
    return mergeFields(isFields(base) ? base : {}, yours, theirs, place, conflicts);
  }
  const [was, mine, other] = [base, yours, theirs].map(byName);
  if (was !== undefined && mine !== undefined && other !== undefined) {
    return Object.values(mergeFields(was, mine, other, place, conflicts));
  }
  conflicts.push(place);
  return yours;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A list whose entries have names of their own, such as containers, as fields by name. */
function byName(value: unknown): Fields | undefined {
  if (!Array.isArray(value)) {
    return undefined;
  }
  const named = value.filter(
    (entry): entry is Fields & { name: string } => isFields(entry) && typeof entry.name === "string",
  );
  const fields = new Map(named.map((entry) => [`[${entry.name}]`, entry]));
  return fields.size === value.length ? Object.fromEntries(fields) : undefined;
}

export function isSame(one: unknown, other: unknown): boolean {
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((entry, place) => isSame(entry, other[place]));
  }
  if (isFields(one) && isFields(other)) {
    const names = new Set([...Object.keys(one), ...Object.keys(other)]);
    return [...names].every((name) => isSame(one[name], other[name]));
  }
  return one === other;
}
