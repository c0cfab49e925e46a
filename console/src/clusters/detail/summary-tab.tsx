// A cluster in short: what keeps it from being well, facts, nodes, conditions.

import type { ReactNode } from "react";
import type { Cluster } from "../../api/hub";
import { Conditions } from "../../ui/conditions";
import { bytes, cores } from "../../ui/format";
import { Meter } from "../../ui/meter";
import { Empty, Section } from "../../ui/page";
import { Ago } from "../../ui/time";
import { troubleOf } from "../state";
import { AtWork } from "./at-work";
import { Certificates } from "./certificates";
import { useShownCluster } from "./cluster-page";
import { Kubeconfig } from "./kubeconfig";
import { Moving } from "./moving";
import { ScheduleSection } from "./schedule-section";
import { TemplateFact } from "./template-fact";

export function SummaryTab() {
  const cluster = useShownCluster();
  return (
    <div className="grid items-start gap-5 lg:grid-cols-2">
      <div className="flex flex-col gap-5">
        <Trouble cluster={cluster} />
        <AtWork cluster={cluster} />
        <Moving cluster={cluster} />
        <Section title="Facts">
          <Facts cluster={cluster} />
        </Section>
        {cluster.kind === "hosted" && <ScheduleSection cluster={cluster} />}
        <Section title="Use it">
          <Kubeconfig cluster={cluster} />
        </Section>
      </div>
      <div className="flex flex-col gap-5">
        <Section title="Nodes">
          <Nodes cluster={cluster} />
        </Section>
        <Section title="Conditions">
          <Conditions conditions={cluster.conditions} />
        </Section>
        {cluster.kind === "hosted" && <Certificates id={cluster.id} />}
      </div>
    </div>
  );
}

function Trouble({ cluster }: { cluster: Cluster }) {
  const trouble = troubleOf(cluster);
  return trouble === undefined ? null : (
    <div
      role="status"
      className={`rounded-xl border px-4 py-3 text-sm ${trouble.tone === "bad" ? "border-bad bg-bad-soft" : "border-warn bg-warn-soft"}`}
    >
      <p className="font-semibold break-words">{trouble.cause}</p>
      {trouble.next !== undefined && <p className="mt-0.5">{trouble.next}</p>}
    </div>
  );
}

function Facts({ cluster }: { cluster: Cluster }) {
  const { id, kind, endpoint, version, replicas, requested, dataStore, created, lastSeen, labels } = cluster;
  const asksForNothing = requested == null || requested.cpuMilli + requested.memoryBytes === 0;
  const template = labels["flotilla.dev/template"];
  const facts: [string, ReactNode][] = [
    [
      "Id",
      <code key="id" className="font-mono text-xs break-all">
        {id}
      </code>,
    ],
    // An imported cluster is reached by its agent alone.
    ...(kind === "hosted" ? ([["Address", endpoint ?? "None yet"]] satisfies [string, ReactNode][]) : []),
    ["Version", version ?? "Not known yet"],
    ...(replicas == null ? [] : ([["Pods of the control plane", replicas]] satisfies [string, ReactNode][])),
    ...(asksForNothing
      ? []
      : ([["They ask for", `${cores(requested.cpuMilli)} cores, ${bytes(requested.memoryBytes)}`]] satisfies [
          string,
          ReactNode,
        ][])),
    ...(dataStore == null ? [] : ([["Data store", dataStore]] satisfies [string, ReactNode][])),
    ...(template === undefined
      ? []
      : ([["Template", <TemplateFact key="template" labels={labels} />]] satisfies [string, ReactNode][])),
    ["Created", created == null ? "—" : <Ago key="created" time={created} />],
    ["Last seen", lastSeen == null ? "—" : <Ago key="seen" time={lastSeen} />],
    [
      "Labels",
      <span key="labels" className="flex flex-wrap gap-1">
        {Object.keys(labels).length === 0 && "None"}
        {Object.entries(labels).map(([name, value]) => (
          <code key={name} className="rounded bg-sunken px-1.5 py-0.5 font-mono text-xs break-all">
            {name}={value}
          </code>
        ))}
      </span>,
    ],
  ];
  return (
    <dl className="grid grid-cols-[minmax(7rem,auto)_1fr] gap-x-6 gap-y-2 text-sm">
      {facts.map(([term, value]) => (
        <div key={term} className="contents">
          <dt className="text-muted">{term}</dt>
          <dd className="min-w-0 break-words">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Nodes({ cluster: { kind, nodes, usage, allocatable } }: { cluster: Cluster }) {
  if (nodes == null) {
    return (
      <p className="text-sm text-muted">
        {kind === "hosted"
          ? "Nothing is known of nodes yet. They are counted once a minute while the control plane is awake."
          : "Nothing is known of nodes yet. The agent tells of them when it is connected."}
      </p>
    );
  }
  if (nodes.total === 0) {
    return (
      <Empty title="No machine has joined yet">
        The command <code className="font-mono">flotilla join-command</code> prints the line that a machine
        joins with.
      </Empty>
    );
  }
  return (
    <div className="flex flex-col gap-4 text-sm">
      <p>
        {nodes.ready} of {nodes.total} are ready.
      </p>
      {usage != null && allocatable != null && (
        <>
          <Meter label="CPU, cores" used={usage.cpuMilli} total={allocatable.cpuMilli} format={cores} />
          <Meter label="Memory" used={usage.memoryBytes} total={allocatable.memoryBytes} format={bytes} />
          <Meter label="Pods" used={usage.pods} total={allocatable.pods} format={String} />
        </>
      )}
    </div>
  );
}
