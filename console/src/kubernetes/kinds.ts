// Kinds of objects that a cluster has, and where they are found in its API.

import type { Owner } from "./objects";

export interface Kind {
  /** As kubectl names it without doubt, such as `pods` or `deployments.apps`. */
  id: string;
  group: string;
  version: string;
  kind: string;
  plural: string;
  isNamespaced: boolean;
  verbs: readonly string[];
  /** Such as `scale` and `log`. */
  subresources: readonly string[];
  shortNames: readonly string[];
}

/** Path of all objects of a kind, or of those of one namespace. */
export function collectionPath({ group, version, plural }: Kind, namespace?: string): string {
  const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  const inside = namespace === undefined ? "" : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}${inside}/${plural}`;
}

/** Path of one object. */
export function itemPath(kind: Kind, namespace: string | undefined, name: string): string {
  return `${collectionPath(kind, namespace)}/${encodeURIComponent(name)}`;
}

export function apiVersionOf({ group, version }: Kind): string {
  return group === "" ? version : `${group}/${version}`;
}

/** The kind of an owner or of a document; versions of a group are one kind. */
export function kindOf(
  kinds: readonly Kind[],
  { apiVersion, kind }: Pick<Owner, "apiVersion" | "kind">,
): Kind | undefined {
  const group = apiVersion.includes("/") ? apiVersion.split("/")[0] : "";
  return kinds.find((found) => found.group === group && found.kind === kind);
}

/** Such as `Network policies` of `NetworkPolicy`: several of a kind. */
export function titleOf({ kind, plural }: Pick<Kind, "kind" | "plural">): string {
  const small = kind.toLowerCase();
  if (plural.startsWith(small)) {
    return kind + plural.slice(small.length);
  }
  return small.endsWith("y") && plural === `${small.slice(0, -1)}ies` ? `${kind.slice(0, -1)}ies` : kind;
}

export function can(kind: Kind, verb: string): boolean {
  return kind.verbs.includes(verb);
}
