// Restores of a cluster: the one that is under way step by step, and those before.

import { useState } from "react";
import { Badge } from "../../ui/badge";
import { Button } from "../../ui/button";
import { Section } from "../../ui/page";
import { ProblemPanel } from "../../ui/problem-panel";
import { type Step, Steps } from "../../ui/steps";
import { Ago } from "../../ui/time";
import { isUnderWay, type Restore, tones, useRestores } from "./backups";
import { CallOffDialog } from "./dialogs";

const titles = [
  "The archive is checked",
  "The cluster stops",
  "Its contents are replaced",
  "It starts again",
] as const;

/** Which step a reason of the operator belongs to; whatever it waits for comes before all. */
const reached: Record<string, number> = { Verifying: 0, Stopping: 1, Restoring: 2 };

/** How far a restore is. */
export function stepsOf({ state, reason, message }: Restore): Step[] {
  const now = state === "Completed" ? titles.length : (reached[reason] ?? 0);
  return titles.map((title, position) => {
    if (position !== now) {
      return { title, state: position < now ? "done" : "later" };
    }
    return { title, state: "now", ...(message === "" ? {} : { told: message }) };
  });
}

export function Restores({ id }: { id: string }) {
  const { data, error, refetch } = useRestores(id);
  const [left, setLeft] = useState<Restore>();
  if (error !== null && data === undefined) {
    return <ProblemPanel error={error} onRetry={refetch} />;
  }
  const restores = data?.items ?? [];
  const open = restores.filter(isUnderWay);
  const ended = restores.filter((restore) => !isUnderWay(restore));
  return (
    <>
      {open.map((restore) => (
        <Section
          key={restore.name}
          title={`Restoring from ${restore.backup ?? "an archive"}`}
          actions={
            restore.reason !== "Restoring" && <Button onClick={() => setLeft(restore)}>Call it off</Button>
          }
        >
          <Steps steps={stepsOf(restore)} />
        </Section>
      ))}
      {ended.length > 0 && (
        <Section title="Restores">
          <ul className="-my-3 divide-y divide-line">
            {ended.map((restore) => (
              <Ended key={restore.name} restore={restore} />
            ))}
          </ul>
        </Section>
      )}
      {left !== undefined && <CallOffDialog id={id} restore={left} onClose={() => setLeft(undefined)} />}
    </>
  );
}

function Ended({ restore: { backup, state, message, completedAt } }: { restore: Restore }) {
  return (
    <li className="flex flex-col gap-1 py-3 text-sm">
      <span className="flex flex-wrap items-center gap-2">
        <span className="font-medium wrap-anywhere">From {backup ?? "an archive"}</span>
        <Badge tone={tones[state]}>{state}</Badge>
        {completedAt != null && (
          <span className="text-xs text-muted">
            <Ago time={completedAt} />
          </span>
        )}
      </span>
      {message !== "" && <span className="text-muted wrap-anywhere">{message}</span>}
    </li>
  );
}
