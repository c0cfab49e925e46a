// How far something is that goes step by step.

export interface Step {
  title: string;
  state: "done" | "now" | "failed" | "later";
  told?: string;
}

const marks: Record<Step["state"], string> = {
  done: "bg-ok-soft text-ok",
  now: "bg-accent-soft text-accent animate-pulse",
  failed: "bg-bad-soft text-bad",
  later: "bg-sunken text-muted",
};

const signs: Record<Step["state"], string> = { done: "✓", now: "…", failed: "!", later: "" };
const words: Record<Step["state"], string> = {
  done: "done",
  now: "under way",
  failed: "failed",
  later: "later",
};

export function Steps({ steps }: { steps: readonly Step[] }) {
  return (
    <ol aria-label="Progress" aria-live="polite" className="flex flex-col gap-3">
      {steps.map((step) => (
        <StepLine key={step.title} step={step} />
      ))}
    </ol>
  );
}

function StepLine({ step }: { step: Step }) {
  return (
    <li className="flex gap-3 text-sm">
      <span
        aria-hidden
        className={`flex size-6 shrink-0 items-center justify-center rounded-full text-xs font-bold ${marks[step.state]}`}
      >
        {signs[step.state]}
      </span>
      <div className="min-w-0">
        <p className="font-medium">
          {step.title} <span className="sr-only">({words[step.state]})</span>
        </p>
        {step.told !== undefined && <p className="break-words text-muted">{step.told}</p>}
      </div>
    </li>
  );
}
