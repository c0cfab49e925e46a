// Drains a node: says what will happen, then shows each pod and what hinders it.

import { useMutation, useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { collectionPath } from "../../kubernetes/kinds";
import type { KubernetesObject } from "../../kubernetes/objects";
import { askJson } from "../../kubernetes/request";
import { Badge } from "../../ui/badge";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { counted } from "../../ui/format";
import { Loading } from "../../ui/page";
import { ProblemPanel } from "../../ui/problem-panel";
import { useExplorer } from "../explorer-page";
import { cordon } from "../object/changes";
import type { ObjectDialogProps } from "../object/dialogs";
import { evictAll, type Plan, type Progress, planOf } from "./drain";

export function DrainDialog({ target, onClose }: ObjectDialogProps) {
  const { cluster, object } = target;
  const { kinds } = useExplorer();
  const pods = kinds.find(({ id }) => id === "pods");
  const { name } = object.metadata;
  const [progress, setProgress] = useState<ReadonlyMap<string, Progress>>(new Map());
  const stop = useRef(new AbortController());
  useEffect(() => {
    const watch = new AbortController();
    stop.current = watch;
    return () => watch.abort();
  }, []);
  const plan = useQuery({
    queryKey: ["kubernetes", cluster, "drain", name],
    queryFn: async ({ signal }) => {
      const query = new URLSearchParams({ fieldSelector: `spec.nodeName=${name}` });
      const path = pods === undefined ? "" : collectionPath(pods);
      const { items } = await askJson<{ items: KubernetesObject[] }>(cluster, `${path}?${query}`, { signal });
      return planOf(items);
    },
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  const drain = useMutation({
    mutationFn: async ({ evicted }: Plan) => {
      if (pods === undefined) {
        return;
      }
      await cordon(target, true);
      const tell = (pod: KubernetesObject, next: Progress) =>
        setProgress((before) => new Map(before).set(keyOf(pod), next));
      await evictAll(cluster, pods, evicted, tell, stop.current.signal);
    },
  });
  const description =
    "New pods stay away from it, and those that run there are moved as their budgets allow.";
  return (
    <Dialog isOpen onClose={onClose} title={`Drain ${name}`} description={description}>
      {plan.data === undefined ? (
        <>
          <ProblemPanel error={plan.error} onRetry={plan.refetch} />
          {plan.error === null && <Loading label="Its pods are on their way" />}
        </>
      ) : (
        <div className="flex flex-col gap-4 text-sm">
          <PlanInWords plan={plan.data} />
          <Pods pods={plan.data.evicted} progress={progress} />
          <ProblemPanel error={drain.error} />
          <div className="flex flex-wrap justify-end gap-2">
            <Button onClick={onClose}>
              {drain.isPending ? "Stop" : drain.isSuccess ? "Close" : "Cancel"}
            </Button>
            {!drain.isSuccess && (
              <Button look="danger" isBusy={drain.isPending} onClick={() => drain.mutate(plan.data)}>
                Drain
              </Button>
            )}
          </div>
        </div>
      )}
    </Dialog>
  );
}

function keyOf({ metadata }: KubernetesObject): string {
  return `${metadata.namespace}/${metadata.name}`;
}

function namesOf(pods: readonly KubernetesObject[]): string {
  return pods.map(keyOf).join(", ");
}

function PlanInWords({ plan: { evicted, staying, unmanaged, withLocalData } }: { plan: Plan }) {
  return (
    <div className="flex flex-col gap-2">
      <p>
        {counted(evicted.length, "pod")} will be evicted; {counted(staying.length, "pod")} of DaemonSets or
        the node itself stay.
      </p>
      {unmanaged.length > 0 && (
        <p className="rounded-lg border border-warn bg-warn-soft px-3 py-2 break-words">
          Nothing makes these anew: {namesOf(unmanaged)}.
        </p>
      )}
      {withLocalData.length > 0 && (
        <p className="rounded-lg border border-warn bg-warn-soft px-3 py-2 break-words">
          These lose what they keep on the node's disk (emptyDir): {namesOf(withLocalData)}.
        </p>
      )}
    </div>
  );
}

function Pods({
  pods,
  progress,
}: {
  pods: readonly KubernetesObject[];
  progress: ReadonlyMap<string, Progress>;
}) {
  return (
    <ul aria-label="Pods to be evicted" className="divide-y divide-line">
      {pods.map((pod) => {
        const now = progress.get(keyOf(pod)) ?? { state: "waiting" };
        return (
          <li key={keyOf(pod)} className="flex flex-col gap-1 py-2">
            <span className="flex flex-wrap items-center gap-2">
              <span className="min-w-0 flex-1 break-all">{keyOf(pod)}</span>
              {now.state === "gone" && <Badge tone="ok">Evicted</Badge>}
              {now.state === "hindered" && <Badge tone="warn">Hindered</Badge>}
              {now.state === "waiting" && <Badge>Waits</Badge>}
            </span>
            {now.state === "hindered" && <span className="break-words text-muted">{now.why}</span>}
          </li>
        );
      })}
    </ul>
  );
}
