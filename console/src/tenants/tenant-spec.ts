// What the form of a tenant holds, and the spec that comes of it.

import type { Wanted } from "../objects/objects";
import { readList } from "../ui/lists";
import type { Tenant } from "./tenant";

export interface TypedTenant {
  name: string;
  displayName: string;
  parent: string;
  clusters: string;
  controlPlaneReplicas: string;
  cpu: string;
  memory: string;
  workers: string;
  versions: string;
  dataStores: string;
  deletionGracePeriod: string;
}

export function typedOf(tenant: Tenant | undefined, parent = ""): TypedTenant {
  const { spec, name = "" } = tenant ?? { spec: { parent } };
  const quota = spec.quota ?? {};
  return {
    name,
    displayName: spec.displayName ?? "",
    parent: spec.parent ?? "",
    clusters: text(quota.clusters),
    controlPlaneReplicas: text(quota.controlPlaneReplicas),
    cpu: text(quota.cpu),
    memory: text(quota.memory),
    workers: text(quota.workers),
    versions: (quota.versions ?? []).join(", "),
    dataStores: (quota.dataStores ?? []).join(", "),
    deletionGracePeriod: spec.deletionGracePeriod ?? "72h",
  };
}

function text(value: unknown): string {
  return value == null ? "" : String(value);
}

/** What is left empty is limited by nothing. */
export function wantedOf(typed: TypedTenant, tenant: Tenant | undefined): Wanted<"tenants"> {
  const quota = {
    ...count("clusters", typed.clusters),
    ...count("controlPlaneReplicas", typed.controlPlaneReplicas),
    ...count("workers", typed.workers),
    ...amount("cpu", typed.cpu),
    ...amount("memory", typed.memory),
    ...list("versions", typed.versions),
    ...list("dataStores", typed.dataStores),
  };
  return {
    name: typed.name.trim(),
    labels: tenant?.labels ?? {},
    spec: {
      ...tenant?.spec,
      displayName: typed.displayName.trim() === "" ? null : typed.displayName.trim(),
      parent: typed.parent === "" ? null : typed.parent,
      quota,
      deletionGracePeriod: typed.deletionGracePeriod.trim(),
    },
  };
}

function count(name: string, typed: string) {
  return typed.trim() === "" ? {} : { [name]: Number(typed) };
}

function amount(name: string, typed: string) {
  return typed.trim() === "" ? {} : { [name]: typed.trim() };
}

function list(name: string, typed: string) {
  const found = readList(typed);
  return found.length === 0 ? {} : { [name]: found };
}
