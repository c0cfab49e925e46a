// The audit log of the played hub.

import type { Handler } from "../world.ts";

const done = [
  ["admin", "create", "clusters", "acme.production-01", "allowed"],
  ["dana", "sleep", "clusters", "borealis.build-01", "allowed"],
  ["eli", "delete", "clusters", "cobalt.analytics-01", "denied"],
  ["admin", "update", "grants", "dana-at-borealis", "allowed"],
] as const;

const count = 40;
const page = 25;

const log = Array.from({ length: count }, (_, position) => {
  const [actor, verb, resource, name, decision] = done[position % done.length] ?? done[0];
  const entry = {
    actor,
    verb,
    resource,
    name,
    decision,
    actorKind: "person",
    address: "192.0.2.7",
    tenant: "acme",
  };
  const reason = decision === "denied" ? "no grant allows it" : "";
  return {
    id: String(position),
    ...entry,
    reason,
    status: decision === "denied" ? 403 : 200,
    durationMicroseconds: 4200,
  };
});

export const recordHandlers: Record<string, Handler> = {
  "GET /api/v1/audit": (_, { query }) => {
    const isFound = (entry: (typeof log)[number]) =>
      (["actor", "verb", "resource", "name", "decision", "tenant"] as const).every(
        (name) => !query.has(name) || query.get(name) === entry[name],
      );
    const found = log.filter(isFound);
    const begin = Number(query.get("after") ?? 0);
    const end = begin + Number(query.get("limit") ?? page);
    const items = found.slice(begin, end).map((entry) => ({
      ...entry,
      time: new Date(Date.now() - (Number(entry.id) * 7 + 2) * 60_000).toISOString(),
    }));
    return { status: 200, body: { items, ...(end < found.length ? { next: String(end) } : {}) } };
  },
};
