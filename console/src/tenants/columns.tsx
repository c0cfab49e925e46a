// The columns of the tree of tenants.

import { Link } from "react-router";
import { pathTo } from "../objects/objects";
import { Badge } from "../ui/badge";
import { SmallMeter } from "../ui/meter";
import type { Column } from "../ui/table/columns";
import { type Branch, stateOf, statusOf } from "./tenant";

export const tenantColumns: readonly Column<Branch>[] = [
  {
    id: "name",
    title: "Tenant",
    cell: ({ tenant: { name, spec }, depth }) => (
      <span className="flex flex-col" style={{ paddingLeft: `${depth * 1.25}rem` }}>
        <Link
          to={pathTo("tenants", name)}
          tabIndex={-1}
          className="truncate font-medium text-accent hover:underline"
        >
          {name}
        </Link>
        {spec.displayName != null && <span className="truncate text-xs text-muted">{spec.displayName}</span>}
      </span>
    ),
  },
  {
    id: "state",
    title: "State",
    width: "11rem",
    cell: ({ tenant }) => {
      const { tone, label, told } = stateOf(tenant);
      return (
        <span title={told}>
          <Badge tone={tone}>{label}</Badge>
        </span>
      );
    },
  },
  {
    id: "clusters",
    title: "Clusters",
    width: "11rem",
    from: "tablet",
    cell: ({ tenant }) => (
      <SmallMeter
        label="Clusters, with those of tenants below"
        used={statusOf(tenant).total?.clusters ?? 0}
        total={tenant.spec.quota?.clusters ?? undefined}
      />
    ),
  },
  {
    id: "pods",
    title: "Pods",
    width: "11rem",
    from: "desktop",
    cell: ({ tenant }) => (
      <SmallMeter
        label="Pods of control planes, with those of tenants below"
        used={statusOf(tenant).total?.controlPlaneReplicas ?? 0}
        total={tenant.spec.quota?.controlPlaneReplicas ?? undefined}
      />
    ),
  },
  {
    id: "workers",
    title: "Workers",
    width: "11rem",
    from: "desktop",
    cell: ({ tenant }) => (
      <SmallMeter
        label="Nodes of hosted clusters, with those of tenants below"
        used={statusOf(tenant).total?.workers ?? 0}
        total={tenant.spec.quota?.workers ?? undefined}
      />
    ),
  },
];
