// Somebody else saved meanwhile: what they changed, what you did, and both together.

import { useMemo, useState } from "react";
import { Problem } from "../../api/problem";
import type { KubernetesObject } from "../../kubernetes/objects";
import { Button } from "../../ui/button";
import { SelectField } from "../../ui/field";
import { ProblemPanel } from "../../ui/problem-panel";
import { Compare } from "./compare";
import { type Draft, objectOf, textOf } from "./draft";
import { merge } from "./merge";

interface ConflictProps {
  draft: Draft;
  theirs: KubernetesObject;
  /** Goes on with another draft, begun from theirs. */
  onTake: (draft: Draft) => void;
  onBack: () => void;
}

type View = "merged" | "theirs" | "yours";

const views: Record<View, string> = {
  merged: "Both together, beside theirs",
  theirs: "What they changed",
  yours: "What you changed",
};

/** Nothing if what was typed is no object. */
function together(draft: Draft, theirs: KubernetesObject) {
  try {
    const { object, conflicts } = merge(draft.base, objectOf(draft.text), theirs);
    return { text: textOf(object), conflicts };
  } catch (error) {
    return Problem.from(error);
  }
}

export function Conflict({ draft, theirs, onTake, onBack }: ConflictProps) {
  const merged = useMemo(() => together(draft, theirs), [draft, theirs]);
  const [typed, setTyped] = useState<string>();
  const [view, setView] = useState<View>("merged");
  const [was, now] = useMemo(() => [textOf(draft.base), textOf(theirs)], [draft.base, theirs]);
  if (merged instanceof Problem) {
    return (
      <div className="flex flex-col items-start gap-3">
        <ProblemPanel error={merged} />
        <Button onClick={onBack}>Go on editing</Button>
      </div>
    );
  }
  const text = typed ?? merged.text;
  return (
    <div className="flex flex-col gap-3">
      <div role="status" className="rounded-lg border border-warn bg-warn-soft px-4 py-3 text-sm">
        <p className="font-semibold">Somebody else changed it meanwhile.</p>
        <p className="mt-0.5 break-words">
          {merged.conflicts.length === 0
            ? "You changed different fields: below is both together. Nothing is saved yet."
            : `Both of you changed ${merged.conflicts.join(", ")}: below it has your value. Nothing is saved yet.`}
        </p>
      </div>
      <div className="flex flex-wrap items-end gap-2">
        <Button look="primary" onClick={() => onTake({ text, base: theirs })}>
          Take both together
        </Button>
        <Button onClick={() => onTake({ text: now, base: theirs })}>Take theirs</Button>
        <Button look="quiet" onClick={onBack}>
          Go on editing
        </Button>
        <div className="ml-auto w-full sm:w-64">
          <SelectField label="Shown" value={view} onChange={(event) => setView(event.target.value as View)}>
            {Object.entries(views).map(([name, title]) => (
              <option key={name} value={name}>
                {title}
              </option>
            ))}
          </SelectField>
        </div>
      </div>
      {view === "merged" && <Compare label="Both together" before={now} after={text} onChange={setTyped} />}
      {view === "theirs" && <Compare label="What they changed" before={was} after={now} />}
      {view === "yours" && <Compare label="What you changed" before={was} after={draft.text} />}
    </div>
  );
}
