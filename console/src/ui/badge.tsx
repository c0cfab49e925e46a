// Badges: something in one word. The icon tells as much as the colour.

import { CircleAlert, CircleCheck, CircleDashed, CircleHelp, CirclePause, TriangleAlert } from "lucide-react";
import type { ComponentType, ReactNode } from "react";

/** How things are: well, to be watched, broken, at rest, under way, unknown. */
export type Tone = "ok" | "warn" | "bad" | "rest" | "busy" | "none";

const colours: Record<Tone, string> = {
  ok: "bg-ok-soft text-ok",
  warn: "bg-warn-soft text-warn",
  bad: "bg-bad-soft text-bad",
  rest: "bg-rest-soft text-rest",
  busy: "bg-accent-soft text-accent",
  none: "bg-sunken text-muted",
};

const icons: Record<Tone, ComponentType<{ className?: string }>> = {
  ok: CircleCheck,
  warn: TriangleAlert,
  bad: CircleAlert,
  rest: CirclePause,
  busy: CircleDashed,
  none: CircleHelp,
};

export function Badge({ tone = "none", children }: { tone?: Tone; children: ReactNode }) {
  const Icon = icons[tone];
  return (
    <span
      className={`inline-flex items-center gap-1.5 rounded-full px-2 py-0.5 text-xs font-medium whitespace-nowrap ${colours[tone]}`}
    >
      <Icon aria-hidden className="size-3.5 shrink-0" />
      {children}
    </span>
  );
}
