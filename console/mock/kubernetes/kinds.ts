// Kinds that played clusters have, with the columns that their API server draws.

import { at, type KubernetesObject, listAt } from "../../src/kubernetes/objects.ts";
import type { TableColumn } from "../../src/kubernetes/tables.ts";

interface Column {
  name: string;
  priority?: number;
  cell: (object: KubernetesObject) => unknown;
}

export interface PlayedKind {
  group: string;
  version: string;
  kind: string;
  plural: string;
  isNamespaced: boolean;
  shortNames?: string[];
  subresources?: string[];
  columns?: Column[];
}

const field = (name: string, ...path: (string | number)[]): Column => ({
  name,
  cell: (object) => at(object, ...path) ?? "<none>",
});

const ready: Column = {
  name: "Ready",
  cell: (object) => {
    const statuses = listAt<{ ready?: boolean }>(object, "status", "containerStatuses");
    return statuses.length > 0
      ? `${statuses.filter((status) => status.ready === true).length}/${statuses.length}`
      : `${at(object, "status", "readyReplicas") ?? 0}/${at(object, "spec", "replicas") ?? 0}`;
  },
};

const nodeStatus: Column = {
  name: "Status",
  cell: (object) => `Ready${at(object, "spec", "unschedulable") === true ? ",SchedulingDisabled" : ""}`,
};

const core = (kind: string, plural: string, more: Partial<PlayedKind> = {}): PlayedKind => ({
  group: "",
  version: "v1",
  kind,
  plural,
  isNamespaced: true,
  ...more,
});
const apps = (kind: string, plural: string, more: Partial<PlayedKind> = {}): PlayedKind => ({
  ...core(kind, plural, { columns: [ready], ...more }),
  group: "apps",
});

export const playedKinds: readonly PlayedKind[] = [
  core("Pod", "pods", {
    shortNames: ["po"],
    subresources: ["log", "exec", "eviction"],
    columns: [
      ready,
      field("Status", "status", "phase"),
      {
        name: "Restarts",
        cell: (object) => at(object, "status", "containerStatuses", 0, "restartCount") ?? 0,
      },
      { ...field("IP", "status", "podIP"), priority: 1 },
      { ...field("Node", "spec", "nodeName"), priority: 1 },
    ],
  }),
  core("Namespace", "namespaces", { isNamespaced: false, columns: [field("Status", "status", "phase")] }),
  core("Node", "nodes", {
    isNamespaced: false,
    columns: [nodeStatus, field("Version", "status", "nodeInfo", "kubeletVersion")],
  }),
  core("Service", "services", {
    shortNames: ["svc"],
    columns: [field("Type", "spec", "type"), field("Cluster-IP", "spec", "clusterIP")],
  }),
  core("ConfigMap", "configmaps", { shortNames: ["cm"] }),
  core("Secret", "secrets", { columns: [field("Type", "type")] }),
  core("Event", "events", {
    columns: [field("Type", "type"), field("Reason", "reason"), field("Message", "message")],
  }),
  apps("Deployment", "deployments", { shortNames: ["deploy"], subresources: ["scale"] }),
  apps("ReplicaSet", "replicasets", { shortNames: ["rs"], subresources: ["scale"] }),
  apps("StatefulSet", "statefulsets", { subresources: ["scale"] }),
  apps("DaemonSet", "daemonsets"),
  { ...core("Job", "jobs"), group: "batch" },
  { ...core("Ingress", "ingresses"), group: "networking.k8s.io" },
  { ...core("NetworkPolicy", "networkpolicies"), group: "networking.k8s.io" },
  { ...core("PodDisruptionBudget", "poddisruptionbudgets", { shortNames: ["pdb"] }), group: "policy" },
  { ...core("ClusterRole", "clusterroles", { isNamespaced: false }), group: "rbac.authorization.k8s.io" },
  { ...core("Certificate", "certificates", { columns: [ready] }), group: "cert-manager.io" },
];

export function columnsOf({ columns = [] }: PlayedKind): TableColumn[] {
  const told = [{ name: "Name" }, ...columns, { name: "Age" }] as { name: string; priority?: number }[];
  return told.map(({ name, priority = 0 }) => ({ name, priority, type: "string" }));
}

export function cellsOf({ columns = [] }: PlayedKind, object: KubernetesObject): unknown[] {
  return [object.metadata.name, ...columns.map(({ cell }) => cell(object)), "5d"];
}

const verbs = ["create", "delete", "get", "list", "patch", "update", "watch"];

/** Aggregated discovery of the core group, or of the others. */
export function discovery(isCore: boolean): object {
  const groups = [...new Set(playedKinds.map(({ group }) => group))];
  const items = groups
    .filter((group) => (group === "") === isCore)
    .map((group) => ({
      metadata: { name: group },
      versions: [
        {
          version: "v1",
          resources: playedKinds
            .filter((kind) => kind.group === group)
            .map(({ kind, plural, isNamespaced, shortNames, subresources = [] }) => ({
              resource: plural,
              responseKind: { group, version: "v1", kind },
              scope: isNamespaced ? "Namespaced" : "Cluster",
              verbs,
              shortNames,
              subresources: subresources.map((subresource) => ({ subresource })),
            })),
        },
      ],
    }));
  return { kind: "APIGroupDiscoveryList", apiVersion: "apidiscovery.k8s.io/v2", metadata: {}, items };
}
