// Asks the hub what tenants use: a total by day, and of it what the tenants right below use.

import { useQueries, useQuery } from "@tanstack/react-query";
import { answer, hub } from "../api/hub";
import { useAll } from "../objects/objects";
import {
  allDays,
  type MeasureName,
  type MeteringQuery,
  measures,
  restOf,
  type Series,
  seriesOf,
  sum,
  type Usage,
} from "./usage";

/** So many tenants have a colour of their own; the others are one. */
const most = 5;

async function ask(query: MeteringQuery): Promise<Usage[]> {
  const found: Usage[] = [];
  let after: string | null | undefined;
  do {
    const page = { ...query, limit: 1000, ...(after == null ? {} : { after }) };
    const { items, next } = await answer(hub.GET("/api/v1/metering", { params: { query: page } }));
    found.push(...items);
    after = next;
  } while (after != null);
  return found;
}

const asking = (query: MeteringQuery) => ({ queryKey: ["metering", query], queryFn: () => ask(query) });

export interface Metering {
  days: string[];
  /** What stands on one another in the chart: together they are the total. */
  series: Series[];
  /** By tenant, the one that uses most first. */
  tenants: { name: string; use: Usage; amount: number }[];
}

interface Asked {
  from: string;
  to: string;
  /** All that the user sees if it is empty. */
  tenant: string;
  measure: MeasureName;
}

export function useMetering({ from, to, tenant, measure }: Asked) {
  const where = tenant === "" ? {} : { tenant };
  const total = useQuery(asking({ from, to, ...where, groupBy: "day" }));
  const byTenant = useQuery(asking({ from, to, ...where, groupBy: "tenant" }));
  const tree = useAll("tenants");
  const tenants = (byTenant.data ?? [])
    .map((use) => ({ name: use.tenant ?? "", use, amount: measures[measure].of(use) }))
    .sort((one, other) => other.amount - one.amount);
  const parts = partsOf(tree.data ?? [], tenant);
  const branches = useQueries({
    queries: parts.map((name) => asking({ from, to, tenant: name, groupBy: "day" })),
  });
  const error = total.error ?? byTenant.error;
  const isPending =
    total.isPending || byTenant.isPending || tree.isPending || branches.some((each) => each.isPending);
  const days = allDays({ from, to });
  const all = seriesOf("All", days, total.data ?? [], measure);
  const ranked = parts
    .map((name, place) => seriesOf(name, days, branches[place]?.data ?? [], measure))
    .filter(({ amounts }) => sum(amounts) > 0)
    .sort((one, other) => sum(other.amounts) - sum(one.amounts))
    .slice(0, most);
  const rest = restOf(tenant === "" ? "Others" : tenant, all, ranked);
  // What is left by rounding is no tenant.
  const series = sum(rest.amounts) > 0.001 || ranked.length === 0 ? [...ranked, rest] : ranked;
  const metering: Metering = { days, series, tenants };
  return { metering, error, isPending, refetch: total.refetch };
}

/** Tenants right below one, or at the top of what the user sees. */
function partsOf(
  tenants: readonly { name: string; spec: { parent?: string | null } }[],
  tenant: string,
): string[] {
  const names = new Set(tenants.map(({ name }) => name));
  return tenants
    .filter(({ spec: { parent } }) =>
      tenant === "" ? parent == null || !names.has(parent) : parent === tenant,
    )
    .map(({ name }) => name);
}
