// Roles: those that every hub has, and those that were made here.

import { useMemo } from "react";
import { Link } from "react-router";
import { ObjectTable } from "../objects/object-table";
import { pathTo, useAll } from "../objects/objects";
import { Badge } from "../ui/badge";
import { ButtonLink } from "../ui/button";
import { Page } from "../ui/page";
import type { Column } from "../ui/table/columns";
import { builtinRoles } from "./builtin";
import { ruleText } from "./rules";

interface Row {
  name: string;
  told: string;
  tenant: string;
  isBuiltin: boolean;
}

const columns: readonly Column<Row>[] = [
  {
    id: "name",
    title: "Role",
    sortBy: ({ name }) => name,
    cell: ({ name }) => (
      <Link to={pathTo("roles", name)} tabIndex={-1} className="font-medium text-accent hover:underline">
        {name}
      </Link>
    ),
  },
  { id: "told", title: "With the hub's objects", from: "tablet", cell: ({ told }) => told },
  {
    id: "where",
    title: "May be given in",
    width: "10rem",
    sortBy: ({ tenant }) => tenant,
    cell: ({ isBuiltin, tenant }) => (isBuiltin ? <Badge>Built in</Badge> : tenant || "All tenants"),
  },
];

const builtin: Row[] = builtinRoles.map(({ name, hub }) => ({
  name,
  told: hub,
  tenant: "",
  isBuiltin: true,
}));
const words = ({ name, told, tenant }: Row) => `${name} ${told} ${tenant}`;

export function RolesPage() {
  const { data, error, refetch } = useAll("roles");
  const rows = useMemo(
    () =>
      data && [
        ...builtin,
        ...data.map(({ name, spec }) => ({
          name,
          told: (spec.hub ?? []).map(ruleText).join("; "),
          tenant: spec.tenant ?? "",
          isBuiltin: false,
        })),
      ],
    [data],
  );
  return (
    <Page
      title="Roles"
      lead="What somebody may do. A grant gives a role at a place."
      actions={
        <ButtonLink to="/roles/new" look="primary">
          Make a role
        </ButtonLink>
      }
    >
      <ObjectTable
        label="Roles"
        columns={columns}
        rows={rows}
        error={error}
        onRetry={refetch}
        getId={({ name }) => name}
        words={words}
        pathOf={({ name }) => pathTo("roles", name)}
        empty={null}
      />
    </Page>
  );
}
