// Somebody else changed what is being changed: both versions, and what may be done.

import { TriangleAlert } from "lucide-react";
import { Button } from "../ui/button";
import { differences } from "./differences";

interface ConflictProps {
  mine: object;
  theirs: object;
  isBusy: boolean;
  onOverwrite: () => void;
  onTakeTheirs: () => void;
}

export function Conflict({ mine, theirs, isBusy, onOverwrite, onTakeTheirs }: ConflictProps) {
  const found = differences(mine, theirs);
  return (
    <div role="alert" className="rounded-lg border border-warn bg-warn-soft px-4 py-3 text-sm">
      <p className="flex items-center gap-2 font-semibold">
        <TriangleAlert aria-hidden className="size-4 shrink-0 text-warn" />
        It was changed while you wrote
      </p>
      <p className="mt-1">
        {found.length === 0
          ? "What is there now says the same as what you typed."
          : "Compare what you typed with what is there now. Nothing is written yet."}
      </p>
      {found.length > 0 && (
        <dl className="mt-3 flex flex-col gap-2">
          {found.map(({ path, one, other }) => (
            <div key={path} className="rounded-md border border-line bg-surface p-2">
              <dt className="font-mono text-xs font-medium break-all">{path}</dt>
              <dd className="mt-1 grid gap-1 sm:grid-cols-2">
                <Version label="Yours" text={one} />
                <Version label="There now" text={other} />
              </dd>
            </div>
          ))}
        </dl>
      )}
      <div className="mt-3 flex flex-wrap gap-2">
        <Button onClick={onOverwrite} isBusy={isBusy}>
          Write mine over it
        </Button>
        <Button onClick={onTakeTheirs}>Take what is there now</Button>
      </div>
    </div>
  );
}

function Version({ label, text }: { label: string; text: string }) {
  return (
    <span className="min-w-0">
      <span className="block text-xs text-muted">{label}</span>
      <span className="block max-h-40 overflow-y-auto whitespace-pre-wrap wrap-anywhere">{text || "—"}</span>
    </span>
  );
}
