// An object in short: facts, conditions, what it belongs to and what belongs to it, what happened to it.

import { can } from "../../kubernetes/kinds";
import type { Condition } from "../../kubernetes/objects";
import { Badge } from "../../ui/badge";
import { Section } from "../../ui/page";
import { PortForward } from "../pod/port-forward";
import { Containers } from "./containers";
import { Events } from "./events";
import { Facts } from "./facts";
import { useShownObject } from "./object-page";
import { Related } from "./related";

export function SummaryTab() {
  const { kind, object, kinds } = useShownObject();
  const conditions = object.status?.conditions ?? [];
  const events = kinds.find(({ id }) => id === "events");
  return (
    <div className="grid items-start gap-5 lg:grid-cols-2">
      <div className="flex min-w-0 flex-col gap-5">
        <Section title="Facts">
          <Facts />
        </Section>
        {kind.id === "pods" && (
          <Section title="Containers">
            <Containers />
          </Section>
        )}
        {(kind.id === "pods" || kind.id === "services") && (
          <Section title="Reach it from your machine">
            <PortForward />
          </Section>
        )}
      </div>
      <div className="flex min-w-0 flex-col gap-5">
        {Array.isArray(conditions) && conditions.length > 0 && (
          <Section title="Conditions">
            <Conditions conditions={conditions} />
          </Section>
        )}
        <Related />
        {events !== undefined && can(events, "list") && (
          <Section title="Events">
            <Events />
          </Section>
        )}
      </div>
    </div>
  );
}

/** Conditions that are good when they are false. */
const isGoodFalse = (type: string) =>
  /(Pressure|Unavailable|Failure|Failed|Stalled|Degraded|Terminating|Unschedulable)/.test(type);

function Conditions({ conditions }: { conditions: readonly Condition[] }) {
  return (
    <ul className="-my-3 divide-y divide-line">
      {conditions.map(({ type, status, reason, message }) => {
        const isGood = status === (isGoodFalse(type) ? "False" : "True");
        const tone = status === "Unknown" ? "none" : isGood ? "ok" : "warn";
        return (
          <li key={type} className="flex flex-col gap-1 py-3 text-sm">
            <span className="flex flex-wrap items-center gap-2">
              <span className="font-medium">{type}</span>
              <Badge tone={tone}>{status}</Badge>
              <span className="text-xs text-muted">{reason}</span>
            </span>
            {message !== undefined && message !== "" && (
              <span className="break-words text-muted">{message}</span>
            )}
          </li>
        );
      })}
    </ul>
  );
}
