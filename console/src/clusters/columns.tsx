// The columns of the list of clusters.

import { Link } from "react-router";
import type { Cluster } from "../api/hub";
import { bytes, cores } from "../ui/format";
import type { Column } from "../ui/table/columns";
import { Ago } from "../ui/time";
import { stateOf } from "./state";
import { StateBadge } from "./state-badge";

/** Where a cluster's page is. */
export function pathOf(cluster: Pick<Cluster, "id">): string {
  return `/clusters/${encodeURIComponent(cluster.id)}`;
}

const none = <span className="text-muted">—</span>;

export const clusterColumns: readonly Column<Cluster>[] = [
  {
    id: "name",
    title: "Name",
    sortBy: ({ name }) => name,
    cell: (cluster) => (
      <span className="flex flex-col">
        <Link
          to={pathOf(cluster)}
          tabIndex={-1}
          className="truncate font-medium text-accent hover:underline"
          title={cluster.id}
        >
          {cluster.name}
        </Link>
        <span className="truncate text-xs text-muted sm:hidden">
          {[cluster.tenant, cluster.version].filter(Boolean).join(" · ")}
        </span>
      </span>
    ),
  },
  {
    id: "state",
    title: "State",
    width: "10.5rem",
    sortBy: ({ state }) => stateOf(state).label,
    cell: ({ state }) => <StateBadge state={state} />,
  },
  {
    id: "tenant",
    title: "Tenant",
    from: "tablet",
    sortBy: ({ tenant }) => tenant ?? undefined,
    cell: ({ tenant }) => tenant ?? none,
  },
  {
    id: "kind",
    title: "Kind",
    width: "7rem",
    from: "desktop",
    sortBy: ({ kind }) => kind,
    cell: ({ kind }) => (kind === "hosted" ? "Hosted" : "Imported"),
  },
  {
    id: "version",
    title: "Version",
    width: "7.5rem",
    from: "tablet",
    sortBy: ({ version }) => version ?? undefined,
    cell: ({ version }) => version ?? none,
  },
  {
    id: "nodes",
    title: "Nodes",
    width: "6rem",
    from: "desktop",
    isNumber: true,
    sortBy: ({ nodes }) => nodes?.total,
    cell: ({ nodes }) => (nodes == null ? none : `${nodes.ready} / ${nodes.total}`),
  },
  {
    id: "cpu",
    title: "CPU",
    width: "6rem",
    from: "desktop",
    isNumber: true,
    sortBy: ({ capacity }) => capacity?.cpuMilli,
    cell: ({ capacity }) => (capacity == null ? none : cores(capacity.cpuMilli)),
  },
  {
    id: "memory",
    title: "Memory",
    width: "7rem",
    from: "desktop",
    isNumber: true,
    sortBy: ({ capacity }) => capacity?.memoryBytes,
    cell: ({ capacity }) => (capacity == null ? none : bytes(capacity.memoryBytes)),
  },
  {
    id: "created",
    title: "Created",
    width: "9rem",
    from: "desktop",
    sortBy: ({ created }) => created ?? undefined,
    cell: ({ created }) => (created == null ? none : <Ago time={created} />),
  },
  {
    id: "lastSeen",
    title: "Last seen",
    width: "9rem",
    from: "desktop",
    isExtra: true,
    sortBy: ({ lastSeen }) => lastSeen ?? undefined,
    cell: ({ lastSeen }) => (lastSeen == null ? none : <Ago time={lastSeen} />),
  },
  {
    id: "labels",
    title: "Labels",
    from: "desktop",
    isExtra: true,
    cell: ({ labels }) =>
      Object.entries(labels)
        .map(([name, value]) => `${name}=${value}`)
        .join(", ") || none,
  },
];
