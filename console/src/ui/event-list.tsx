// What happened to something, one line after the other.

import type { ReactNode } from "react";
import { Badge } from "./badge";
import { Ago } from "./time";

export interface Happening {
  id: string;
  isWarning: boolean;
  reason: string;
  message: string;
  time: string | undefined;
  count: number;
  /** What it happened to, where that is not clear. */
  about?: ReactNode;
}

export function EventList({ events }: { events: readonly Happening[] }) {
  return (
    <ul className="-my-3 divide-y divide-line">
      {events.map(({ id, isWarning, reason, message, time, count, about }) => (
        <li key={id} className="flex flex-col gap-1 py-3 text-sm">
          <span className="flex flex-wrap items-center gap-2">
            <Badge tone={isWarning ? "warn" : "ok"}>{reason}</Badge>
            <span className="text-xs text-muted">
              {time !== undefined && <Ago time={time} />}
              {count > 1 && `, ${count} times`}
            </span>
            {about !== undefined && <span className="text-xs text-muted wrap-anywhere">{about}</span>}
          </span>
          <span className="break-words text-muted">{message}</span>
        </li>
      ))}
    </ul>
  );
}
