// What was done lately, for those who may read the audit log.

import { useQuery } from "@tanstack/react-query";
import { answer, hub } from "../api/hub";
import { Problem } from "../api/problem";
import { Badge } from "../ui/badge";
import { Loading, Section } from "../ui/page";
import { ProblemPanel } from "../ui/problem-panel";
import { Ago } from "../ui/time";
import { type AuditEntry, deed } from "./deed";

interface ActivityProps {
  title: string;
  limit: number;
  /** About this cluster alone. */
  cluster?: string;
  /** Shown to those who may not read the log; nothing is without it. */
  denied?: string;
}

export function Activity({ title, limit, cluster, denied }: ActivityProps) {
  const { data, error, refetch } = useQuery({
    queryKey: ["audit", "latest", { limit, cluster }],
    queryFn: async () => {
      const query = { limit, ...(cluster === undefined ? {} : { cluster }) };
      const { items } = await answer(hub.GET("/api/v1/audit", { params: { query } }));
      return items as AuditEntry[];
    },
    refetchInterval: 30_000,
  });
  const isDenied = error !== null && Problem.from(error).code === "denied";
  if (isDenied && denied === undefined) {
    return null;
  }
  return (
    <Section title={title}>
      {isDenied && <p className="text-sm text-muted">{denied}</p>}
      {error !== null && !isDenied && <ProblemPanel error={error} onRetry={refetch} />}
      {data === undefined && error === null && <Loading label="Activity is on its way" />}
      {data?.length === 0 && <p className="text-sm text-muted">Nobody has changed anything yet.</p>}
      <ul className="-my-2 divide-y divide-line">
        {data?.map((entry) => (
          <li key={entry.id} className="flex flex-wrap items-baseline gap-x-2 py-2 text-sm">
            <span className="min-w-0 flex-1 basis-48 break-words">
              <strong className="font-semibold">{entry.actor}</strong> {deed(entry)}{" "}
              <span className="text-muted">{entry.name}</span>
            </span>
            {entry.decision !== "allowed" && (
              <Badge tone={entry.decision === "denied" ? "warn" : "bad"}>{entry.decision}</Badge>
            )}
            <span className="text-xs text-muted">
              <Ago time={entry.time} />
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
}
