// How far the move of a hosted cluster to another data store is, and the way back.

import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import type { Cluster } from "../../api/hub";
import { IdempotencyKeys } from "../../api/idempotency";
import { Button } from "../../ui/button";
import { Section } from "../../ui/page";
import { ProblemPanel } from "../../ui/problem-panel";
import { type Step, Steps } from "../../ui/steps";
import { toast } from "../../ui/toast";
import { change } from "../actions";

type Migration = NonNullable<Cluster["migration"]>;

const phases = ["Copying", "Freezing", "Frozen", "Switched"] as const;

const titles: Record<(typeof phases)[number], string> = {
  Copying: "All objects are copied while the cluster goes on",
  Freezing: "Changes are refused",
  Frozen: "What changed meanwhile is copied, and all is compared",
  Switched: "The pods are replaced by ones on the new store",
};

/** The steps of a move; `told` is what is said of the one that it is at. */
export function stepsOf({ phase }: Migration, told: string | undefined): Step[] {
  const now = (phases as readonly string[]).indexOf(phase);
  return phases.map((each, position) => {
    const title = titles[each];
    if (position !== now) {
      return { title, state: position < now ? "done" : "later" };
    }
    return { title, state: "now", ...(told === undefined ? {} : { told }) };
  });
}

export function Moving({ cluster }: { cluster: Cluster }) {
  const { migration, conditions } = cluster;
  if (migration == null) {
    return null;
  }
  const told = conditions.find(({ type }) => type === "DataStoreReady")?.message || undefined;
  const { from, to, phase } = migration;
  return phase === "GivenUp" ? (
    <Section title={`The move to ${to} was given up`}>
      <p className="mb-3 text-sm wrap-anywhere">
        {told ?? "It took longer than it may."} It stays on {from}.
      </p>
      <Back cluster={cluster} to={from} label={`Stay on ${from}`} />
    </Section>
  ) : (
    <Section title={`Moving from ${from} to ${to}`}>
      <div className="flex flex-col gap-4">
        <Steps steps={stepsOf(migration, told)} />
        {phase !== "Switched" && <Back cluster={cluster} to={from} label="Call it off" />}
      </div>
    </Section>
  );
}

function Back({ cluster, to, label }: { cluster: Cluster; to: string; label: string }) {
  const [keys] = useState(() => new IdempotencyKeys());
  const back = useMutation({
    mutationFn: () => change(cluster, { dataStore: to }, keys),
    onSuccess: () => toast.done(`${cluster.name} stays on ${to}`),
  });
  return (
    <div className="flex flex-col items-start gap-3">
      <Button isBusy={back.isPending} onClick={() => back.mutate()}>
        {label}
      </Button>
      <ProblemPanel error={back.error} />
    </div>
  );
}
