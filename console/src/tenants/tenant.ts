// What the console knows of a tenant beside its spec: how it stands, what it uses of its quota, where it is in the tree.

import type { Shown } from "../objects/objects";
import type { Tone } from "../ui/badge";
import { bytes, cores } from "../ui/format";
import { amountOf } from "../ui/quantity";

export type Tenant = Shown<"tenants">;

interface Use {
  clusters?: number;
  controlPlaneReplicas?: number;
  cpu?: string;
  memory?: string;
  workers?: number;
}

export interface TenantStatus {
  conditions?: { type: string; status: string; reason: string; message: string }[];
  above?: string[];
  children?: number;
  own?: Use;
  total?: Use;
  leavesAt?: string;
}

export function statusOf({ status }: Pick<Tenant, "status">): TenantStatus {
  return typeof status === "object" && status !== null ? status : {};
}

export interface Limit {
  label: string;
  used: number;
  total: number;
  format: (amount: number) => string;
}

const plain = (amount: number) => amount.toLocaleString();

/** What is limited, and how much of it the tenant and those below it use. */
export function limitsOf(tenant: Tenant): Limit[] {
  const quota = tenant.spec.quota ?? {};
  const use = statusOf(tenant).total ?? {};
  const limits: [string, number | undefined, number | undefined, Limit["format"]][] = [
    ["Clusters", use.clusters, quota.clusters ?? undefined, plain],
    ["Pods of control planes", use.controlPlaneReplicas, quota.controlPlaneReplicas ?? undefined, plain],
    ["CPU, cores", amountOf(use.cpu), amountOf(quota.cpu), (amount) => cores(amount * 1000)],
    ["Memory", amountOf(use.memory), amountOf(quota.memory), bytes],
    ["Workers", use.workers, quota.workers ?? undefined, plain],
  ];
  return limits.flatMap(([label, used, total, format]) =>
    total === undefined ? [] : [{ label, used: used ?? 0, total, format }],
  );
}

interface State {
  tone: Tone;
  label: string;
  /** What it means, and what to do. */
  told: string | undefined;
}

/** How a tenant stands, with the cause and the next step where something is to be done. */
export function stateOf(tenant: Tenant): State {
  const conditions = statusOf(tenant).conditions ?? [];
  const fault = conditions.find(({ status, message }) => status === "False" && message !== "");
  if (tenant.spec.state === "Suspended") {
    return {
      tone: "rest",
      label: "Suspended",
      told: "Its control planes sleep, and those of all tenants below it. Take the suspension back to wake them.",
    };
  }
  if (tenant.spec.state === "Leaving") {
    return {
      tone: "warn",
      label: "Leaving",
      told: "It is deleted with all that it has when its time is over. Keep it by making it active again.",
    };
  }
  if (fault === undefined) {
    return { tone: "ok", label: "Active", told: undefined };
  }
  const isOver = fault.type === "WithinQuota";
  const above = fault.reason === "Suspended" || fault.reason === "Leaving";
  const label = isOver ? "Over quota" : above ? `${fault.reason} from above` : "Not ready";
  return { tone: isOver || above ? "warn" : "bad", label, told: fault.message };
}

export interface Branch {
  tenant: Tenant;
  /** How far below the top. */
  depth: number;
}

/** Tenants as a tree reads: each followed by those below it. One whose parent is not seen stands at the top. */
export function treeOf(tenants: readonly Tenant[]): Branch[] {
  const names = new Set(tenants.map(({ name }) => name));
  const below = Map.groupBy(tenants, ({ spec }) =>
    spec.parent != null && names.has(spec.parent) ? spec.parent : "",
  );
  const walk = (parent: string, depth: number): Branch[] =>
    (below.get(parent) ?? [])
      .toSorted((one, other) => one.name.localeCompare(other.name))
      .flatMap((tenant) => [{ tenant, depth }, ...walk(tenant.name, depth + 1)]);
  return walk("", 0);
}

/** Names of a tenant and all below it. */
export function subtree(tenants: readonly Tenant[], name: string): ReadonlySet<string> {
  const found = new Set([name]);
  for (const { tenant } of treeOf(tenants)) {
    if (tenant.spec.parent != null && found.has(tenant.spec.parent)) {
      found.add(tenant.name);
    }
  }
  return found;
}
