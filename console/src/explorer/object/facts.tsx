// What all objects have: age, labels, annotations, finalizers.

import type { ReactNode } from "react";
import { at } from "../../kubernetes/objects";
import { Ago } from "../../ui/time";
import { useShownObject } from "./object-page";

/** Of an annotation so much is shown; the YAML has all. */
const longest = 200;

/** What is worth a line in short, where it is there. */
const fields: [label: string, ...path: string[]][] = [
  ["Node", "spec", "nodeName"],
  ["Pod address", "status", "podIP"],
  ["Type", "spec", "type"],
  ["Cluster address", "spec", "clusterIP"],
  ["Wanted", "spec", "replicas"],
  ["Ready", "status", "readyReplicas"],
  ["Schedule", "spec", "schedule"],
  ["Kubelet", "status", "nodeInfo", "kubeletVersion"],
  ["System", "status", "nodeInfo", "osImage"],
  ["Class", "spec", "storageClassName"],
];

export function Facts() {
  const { kind, object } = useShownObject();
  const { metadata } = object;
  const known = fields.flatMap(([label, ...path]): [string, ReactNode][] => {
    const value = at(object, ...path);
    return typeof value === "string" || typeof value === "number" ? [[label, String(value)]] : [];
  });
  const facts: [string, ReactNode][] = [
    ["Kind", `${object.kind ?? kind.kind} (${object.apiVersion ?? kind.version})`],
    [
      "Created",
      metadata.creationTimestamp === undefined ? "—" : <Ago key="ago" time={metadata.creationTimestamp} />,
    ],
    ...known,
    ["Labels", <Pairs key="labels" pairs={metadata.labels} />],
    ["Annotations", <Pairs key="annotations" pairs={metadata.annotations} />],
    ...(metadata.finalizers === undefined
      ? []
      : ([["Waits on deletion for", metadata.finalizers.join(", ")]] satisfies [string, ReactNode][])),
  ];
  return (
    <dl className="grid grid-cols-[minmax(6rem,auto)_1fr] gap-x-6 gap-y-2 text-sm">
      {facts.map(([term, value]) => (
        <div key={term} className="contents">
          <dt className="text-muted">{term}</dt>
          <dd className="min-w-0 wrap-anywhere">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Pairs({ pairs = {} }: { pairs: Record<string, string> | undefined }) {
  const all = Object.entries(pairs);
  return all.length === 0 ? (
    "—"
  ) : (
    <span className="flex flex-wrap gap-1">
      {all.map(([name, value]) => (
        <code key={name} className="rounded bg-sunken px-1.5 py-0.5 font-mono text-xs break-all">
          {name}={value.length > longest ? `${value.slice(0, longest)}…` : value}
        </code>
      ))}
    </span>
  );
}
