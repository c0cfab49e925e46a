// How kinds are grouped where one chooses among them, and which are favourites.

import { useStored } from "../app/stored";
import { type Kind, titleOf } from "../kubernetes/kinds";

export interface KindGroup {
  title: string;
  kinds: readonly Kind[];
}

const known: [title: string, ids: string[]][] = [
  [
    "Workloads",
    [
      "pods",
      "deployments.apps",
      "statefulsets.apps",
      "daemonsets.apps",
      "replicasets.apps",
      "jobs.batch",
      "cronjobs.batch",
    ],
  ],
  [
    "Network",
    [
      "services",
      "ingresses.networking.k8s.io",
      "networkpolicies.networking.k8s.io",
      "endpointslices.discovery.k8s.io",
    ],
  ],
  [
    "Configuration and storage",
    ["configmaps", "secrets", "persistentvolumeclaims", "persistentvolumes", "storageclasses.storage.k8s.io"],
  ],
  ["Cluster", ["nodes", "namespaces", "events"]],
];

/** Groups of the server itself; whatever else there is was added to it. */
const isBuiltIn = (group: string) => !group.includes(".") || group.endsWith(".k8s.io");

export function groupsOf(kinds: readonly Kind[]): KindGroup[] {
  const byId = new Map(kinds.map((kind) => [kind.id, kind]));
  const named = known.map(([title, ids]) => ({
    title,
    kinds: ids.flatMap((id) => byId.get(id) ?? []),
  }));
  const taken = new Set(known.flatMap(([, ids]) => ids));
  const rest = kinds.filter(({ id }) => !taken.has(id)).sort(byTitle);
  const added = rest.filter(({ group }) => !isBuiltIn(group));
  const access = rest.filter(({ group }) => group === "rbac.authorization.k8s.io");
  const others = rest.filter((kind) => !added.includes(kind) && !access.includes(kind));
  return [
    ...named,
    { title: "Access", kinds: access },
    { title: "Added to this cluster", kinds: added },
    { title: "All else", kinds: others },
  ].filter((group) => group.kinds.length > 0);
}

function byTitle(one: Kind, other: Kind): number {
  return titleOf(one).localeCompare(titleOf(other));
}

/** What somebody has who chose none yet. */
const first = ["pods", "deployments.apps", "services", "nodes"];

/** Ids of kinds that a person wants at hand, in every cluster. */
export function useFavourites(): { ids: readonly string[]; toggle: (id: string) => void } {
  const [ids, setIds] = useStored<readonly string[]>("explorer.favourites", first);
  const toggle = (id: string) =>
    setIds(ids.includes(id) ? ids.filter((other) => other !== id) : [...ids, id]);
  return { ids, toggle };
}
