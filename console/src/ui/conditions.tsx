// Conditions of something: what holds of it and what does not, with cause and next step.

import type { ClusterCondition } from "../api/hub";
import { Badge } from "./badge";

export function Conditions({ conditions }: { conditions: readonly ClusterCondition[] }) {
  if (conditions.length === 0) {
    return <p className="text-sm text-muted">Nothing is said of it yet.</p>;
  }
  return (
    <ul className="-my-3 divide-y divide-line">
      {conditions.map(({ type, status, reason, message }) => (
        <li key={type} className="flex flex-col gap-1 py-3 text-sm">
          <span className="flex flex-wrap items-center gap-2">
            <span className="font-medium">{type}</span>
            <Badge tone={status === "True" ? "ok" : status === "False" ? "bad" : "none"}>{status}</Badge>
            <span className="text-xs text-muted">{reason}</span>
          </span>
          {message !== "" && <span className="break-words text-muted">{message}</span>}
        </li>
      ))}
    </ul>
  );
}
