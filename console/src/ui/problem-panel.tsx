// What went wrong, why, and what to do next.

import { CircleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { Problem } from "../api/problem";
import { Button } from "./button";

interface ProblemPanelProps {
  error: unknown;
  /** Asks again. */
  onRetry?: (() => void) | undefined;
  children?: ReactNode;
}

/** Nothing if there is no error. */
export function ProblemPanel({ error, onRetry, children }: ProblemPanelProps) {
  if (error === undefined || error === null) {
    return null;
  }
  const problem = Problem.from(error);
  return (
    <div
      role="alert"
      className="flex gap-3 rounded-lg border border-bad bg-bad-soft px-4 py-3 text-sm text-text"
    >
      <CircleAlert aria-hidden className="mt-0.5 size-4 shrink-0 text-bad" />
      <div className="min-w-0 flex-1">
        <p className="font-semibold">{problem.title}</p>
        <p className="mt-0.5 break-words">{problem.message}</p>
        {problem.retryAfter !== undefined && (
          <p className="mt-1">Worth another try in {problem.retryAfter} s.</p>
        )}
        {children}
        {onRetry !== undefined && (
          <Button className="mt-2" onClick={onRetry}>
            Try again
          </Button>
        )}
      </div>
    </div>
  );
}
