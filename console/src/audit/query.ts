// What is asked of the audit log, as it stands in the address of the page.

import type { paths } from "../api/schema";

type AuditQuery = NonNullable<paths["/api/v1/audit"]["get"]["parameters"]["query"]>;

/** What is typed, by the name that the API gives it. */
export const texts = ["actor", "verb", "resource", "name", "cluster", "tenant"] as const;

const hour = 3600;

/** How far back, in seconds. */
export const spans: Record<string, { label: string; seconds: number }> = {
  hour: { label: "The last hour", seconds: hour },
  day: { label: "The last day", seconds: 24 * hour },
  week: { label: "The last 7 days", seconds: 7 * 24 * hour },
};

export const decisions = ["allowed", "denied", "failed"] as const;

/** `now` is in milliseconds of the epoch. */
export function asked(query: URLSearchParams, now: number): AuditQuery {
  const found: AuditQuery = {};
  for (const name of [...texts, "decision"] as const) {
    const value = query.get(name)?.trim();
    if (value !== undefined && value !== "") {
      found[name] = value;
    }
  }
  const span = spans[query.get("span") ?? ""];
  return span === undefined ? found : { ...found, since: new Date(now - span.seconds * 1000).toISOString() };
}

/** Where the same is saved from, as JSON lines. */
export function exportPath(query: AuditQuery): string {
  const pairs = Object.entries(query).map(([name, value]) => [name, String(value)]);
  return `/api/v1/audit/export?${new URLSearchParams(pairs)}`;
}
