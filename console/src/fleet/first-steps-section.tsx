// The first steps at a hub as a list that ticks itself off. It can be put away, and comes back from palette and menu.

import { Circle, CircleCheck } from "lucide-react";
import type { ReactNode } from "react";
import { Link, useSearchParams } from "react-router";
import { useStored } from "../app/stored";
import { useFleet } from "../live/clusters";
import { Button } from "../ui/button";
import { Loading, Section } from "../ui/page";
import { isAskedFor, type Step, stepsOf, useSetUp } from "./first-steps";

/** In place of `otherwise`, for those who have something left to do. */
export function FirstSteps({ otherwise = null }: { otherwise?: ReactNode }) {
  const { rows } = useFleet();
  const [query, setQuery] = useSearchParams();
  const [isAway, setAway] = useStored("first-steps.away", false);
  const isAsked = isAskedFor(query);
  const { data, isLoading } = useSetUp(isAsked || !isAway);
  const steps = data == null ? [] : stepsOf(data, rows.length);
  const isDone = steps.every((step) => step.isDone);
  if (isLoading && otherwise !== null) {
    return <Loading label="First steps are on their way" />;
  }
  if (isAsked && data === null) {
    return (
      <Section title="First steps">
        <p className="text-sm">
          They are for those who set up this hub. Ask one of them for a role, and for a tenant to work in.
        </p>
      </Section>
    );
  }
  if (steps.length === 0 || (!isAsked && (isAway || isDone))) {
    return otherwise;
  }
  const putAway = () => {
    setAway(true);
    setQuery({}, { replace: true });
  };
  return (
    <Section
      title={isDone ? "First steps: all done" : "First steps"}
      actions={<Button onClick={putAway}>Put away</Button>}
    >
      <ol className="-my-3 divide-y divide-line">
        {steps.map((step) => (
          <StepItem key={step.title} {...step} />
        ))}
      </ol>
    </Section>
  );
}

function StepItem({ title, text, links, isDone }: Step) {
  const Icon = isDone ? CircleCheck : Circle;
  return (
    <li className="flex gap-3 py-3 text-sm">
      <Icon aria-hidden className={`mt-0.5 size-4 shrink-0 ${isDone ? "text-ok" : "text-muted"}`} />
      <div className="flex min-w-0 flex-1 flex-col gap-1">
        <p className="font-medium">
          {title} <span className="sr-only">{isDone ? "(done)" : "(to do)"}</span>
        </p>
        {!isDone && <p className="text-muted">{text}</p>}
        <p className="flex flex-wrap gap-x-4 gap-y-1">
          {links.map(([to, label]) => (
            <Link key={to} to={to} className="font-medium text-accent hover:underline">
              {label}
            </Link>
          ))}
        </p>
      </div>
    </li>
  );
}
