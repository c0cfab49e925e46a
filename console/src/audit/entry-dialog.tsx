// One entry of the audit log with all that it says.

import { Dialog } from "../ui/dialog";
import { exactly } from "../ui/format";
import { type AuditEntry, deed } from "./deed";

function facts(entry: AuditEntry): [string, string | number | undefined][] {
  const { durationMicroseconds: took } = entry;
  return [
    ["Time", exactly(entry.time)],
    ["Who", entry.actorKind === undefined ? entry.actor : `${entry.actor} (${entry.actorKind})`],
    ["Verb", entry.verb],
    ["Resource", entry.resource],
    ["Name", entry.name],
    ["Namespace", entry.namespace],
    ["Cluster", entry.cluster],
    ["Tenant", entry.tenant],
    ["Decision", entry.decision],
    ["Why", entry.reason],
    ["Status", entry.status === 0 ? undefined : entry.status],
    ["It took", took === undefined || took === 0 ? undefined : `${(took / 1000).toLocaleString()} ms`],
    ["Path", entry.path],
    ["From", entry.address],
    ["With", entry.agent],
    ["Request", entry.request],
  ];
}

export function EntryDialog({ entry, onClose }: { entry: AuditEntry; onClose: () => void }) {
  const known = facts(entry).filter(([, value]) => value !== undefined && value !== "");
  return (
    <Dialog isOpen onClose={onClose} title={`${entry.actor} ${deed(entry)}`}>
      <dl className="grid grid-cols-[auto_1fr] gap-x-6 gap-y-2 text-sm">
        {known.map(([term, value]) => (
          <div key={term} className="contents">
            <dt className="text-muted">{term}</dt>
            <dd className="min-w-0 wrap-anywhere">{value}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
