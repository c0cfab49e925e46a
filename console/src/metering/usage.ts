// What tenants use by day: what is asked of the hub, and amounts as people read them.

import type { components, paths } from "../api/schema";

export type Usage = components["schemas"]["Usage"];
export type MeteringQuery = NonNullable<paths["/api/v1/metering"]["get"]["parameters"]["query"]>;

/** What can be looked at, as amounts of an entry in hours, or as they are; `title` is for the head of a column. */
export const measures = {
  controlPlane: {
    label: "Control planes, hours",
    title: "Planes, h",
    of: (use: Usage) => use.controlPlaneSeconds / 3600,
  },
  cpu: {
    label: "CPU of control planes, core-hours",
    title: "CPU, core-h",
    of: (use: Usage) => use.cpuMillicoreSeconds / 3_600_000,
  },
  memory: {
    label: "Memory of control planes, GiB-hours",
    title: "Memory, GiB-h",
    of: (use: Usage) => use.memoryMebibyteSeconds / (3600 * 1024),
  },
  nodes: { label: "Nodes, hours", title: "Nodes, h", of: (use: Usage) => use.nodeSeconds / 3600 },
  nodeCpu: {
    label: "CPU of nodes, core-hours",
    title: "Node CPU, core-h",
    of: (use: Usage) => use.nodeCpuMillicoreSeconds / 3_600_000,
  },
  requests: { label: "Requests through the hub", title: "Requests", of: (use: Usage) => use.requests },
} as const;

export type MeasureName = keyof typeof measures;

export function measureIn(query: URLSearchParams): MeasureName {
  const name = query.get("measure") ?? "";
  return name in measures ? (name as MeasureName) : "controlPlane";
}

export const spans: Readonly<Record<string, { label: string; days: number }>> = {
  week: { label: "The last 7 days", days: 7 },
  month: { label: "The last 30 days", days: 30 },
  quarter: { label: "The last 90 days", days: 90 },
};

const day = 86_400_000;

export function dateOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

/** Which days, as the address says; `now` is in milliseconds of the epoch. Days are those of UTC. */
export function daysIn(query: URLSearchParams, now: number): { from: string; to: string } {
  const { days } = spans[query.get("span") ?? ""] ?? { days: 30 };
  return { from: dateOf(now - (days - 1) * day), to: dateOf(now) };
}

/** All days of a span, so that one on which nothing was used is seen as such. */
export function allDays({ from, to }: { from: string; to: string }): string[] {
  const days: string[] = [];
  for (let time = Date.parse(from); time <= Date.parse(to); time += day) {
    days.push(dateOf(time));
  }
  return days;
}

export interface Series {
  name: string;
  /** One for each day. */
  amounts: number[];
}

export function seriesOf(
  name: string,
  days: readonly string[],
  items: readonly Usage[],
  measure: MeasureName,
): Series {
  const byDay = new Map(items.map((use) => [use.day ?? "", measures[measure].of(use)]));
  return { name, amounts: days.map((each) => byDay.get(each) ?? 0) };
}

/** What is left of a total that others are part of, such as what a tenant has by itself. */
export function restOf(name: string, total: Series, parts: readonly Series[]): Series {
  const amounts = total.amounts.map((amount, place) =>
    Math.max(amount - parts.reduce((sum, part) => sum + (part.amounts[place] ?? 0), 0), 0),
  );
  return { name, amounts };
}

export function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => total + amount, 0);
}

export function amountText(amount: number): string {
  return amount.toLocaleString(undefined, { maximumFractionDigits: amount < 100 ? 1 : 0 });
}

/** Where the same is saved from, as CSV. */
export function exportPath(query: MeteringQuery): string {
  const pairs = Object.entries(query).map(([name, value]) => [name, String(value)]);
  return `/api/v1/metering/export?${new URLSearchParams(pairs)}`;
}
