// The columns of the audit log.

import { Badge } from "../ui/badge";
import type { Column } from "../ui/table/columns";
import { Ago } from "../ui/time";
import { type AuditEntry, deed } from "./deed";

const tones = { allowed: "ok", denied: "warn", failed: "bad" } as const;

function toneOf(decision: string) {
  return decision in tones ? tones[decision as keyof typeof tones] : "none";
}

export const auditColumns: readonly Column<AuditEntry>[] = [
  {
    id: "deed",
    title: "What",
    cell: (entry) => (
      <span className="flex flex-col">
        <span className="truncate" title={entry.path}>
          <strong className="font-semibold">{entry.actor}</strong> {deed(entry)}{" "}
          <span className="text-muted">{entry.name}</span>
        </span>
        <span className="truncate text-xs text-muted sm:hidden">
          <Ago time={entry.time} />
        </span>
      </span>
    ),
  },
  {
    id: "where",
    title: "Where",
    width: "12rem",
    from: "tablet",
    cell: ({ cluster, tenant, namespace }) => (
      <span className="text-muted">{[cluster || tenant, namespace].filter(Boolean).join(" · ") || "—"}</span>
    ),
  },
  {
    id: "decision",
    title: "Decision",
    width: "8rem",
    cell: ({ decision }) => <Badge tone={toneOf(decision)}>{decision}</Badge>,
  },
  {
    id: "time",
    title: "Time",
    width: "9rem",
    from: "tablet",
    cell: ({ time }) => <Ago time={time} />,
  },
];
