// Where a grant holds: everywhere, in a tenant and below, in a project, in a cluster.

import type { Specs } from "../objects/objects";

export type Scope = Specs["grants"]["scope"];

export const placeKinds = {
  tenant: "A tenant, and all below it",
  project: "The namespaces of a project",
  cluster: "A cluster",
  platform: "Everywhere",
} as const;

export type PlaceKind = keyof typeof placeKinds;

export interface Place {
  kind: PlaceKind;
  /** Of the tenant, project or cluster. */
  name: string;
}

export function scopeOf({ kind, name }: Place): Scope {
  return kind === "platform" ? { platform: true } : { [kind]: name.trim() };
}

export function placeOf(scope: Scope): Place {
  const kind = (["tenant", "project", "cluster"] as const).find((each) => scope[each] != null);
  return kind === undefined ? { kind: "platform", name: "" } : { kind, name: scope[kind] ?? "" };
}

export function placeText(scope: Scope): string {
  const { kind, name } = placeOf(scope);
  return kind === "platform" ? "the platform" : `${kind} ${name}`;
}

/** The place that an address names, such as `?tenant=acme`. */
export function placeIn(query: URLSearchParams): Place | undefined {
  const kind = (["tenant", "project", "cluster"] as const).find((each) => query.has(each));
  return kind === undefined ? undefined : { kind, name: query.get(kind) ?? "" };
}
