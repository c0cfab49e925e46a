// Says that what is shown is not live any more: since when, why, and how to go on.

import { CloudOff } from "lucide-react";
import type { Problem } from "../api/problem";
import { Button } from "../ui/button";

interface StaleNoteProps {
  problem: Problem;
  /** Milliseconds of the epoch; nothing if it is not known. */
  since?: number;
  onRetry: () => void;
}

export function StaleNote({ problem, since, onRetry }: StaleNoteProps) {
  const time =
    since === undefined
      ? ""
      : ` at ${new Date(since).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" })}`;
  return (
    <div
      role="status"
      className="flex flex-wrap items-center gap-x-3 gap-y-2 rounded-lg border border-warn bg-warn-soft px-4 py-3 text-sm"
    >
      <CloudOff aria-hidden className="size-4 shrink-0 text-warn" />
      <p className="min-w-0 flex-1 basis-60 break-words">
        <strong className="font-semibold">{problem.title}.</strong> You see the last known state{time}.{" "}
        {problem.message}
      </p>
      <Button onClick={onRetry}>Try now</Button>
    </div>
  );
}
