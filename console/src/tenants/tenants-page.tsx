// The tree of tenants that the user sees.

import { useMemo } from "react";
import { ObjectTable } from "../objects/object-table";
import { pathTo, useAll } from "../objects/objects";
import { ButtonLink } from "../ui/button";
import { Empty, Page } from "../ui/page";
import { tenantColumns } from "./columns";
import { type Branch, treeOf } from "./tenant";

const words = ({ tenant: { name, spec } }: Branch) => `${name} ${spec.displayName ?? ""}`;

export function TenantsPage() {
  const { data, error, refetch } = useAll("tenants");
  const rows = useMemo(() => data && treeOf(data), [data]);
  const create = (
    <ButtonLink to="/tenants/new" look="primary">
      Make a tenant
    </ButtonLink>
  );
  return (
    <Page
      title="Tenants"
      lead="Organisations and their parts. What one has, counts for all above it."
      actions={create}
    >
      <ObjectTable
        label="Tenants"
        columns={tenantColumns}
        rows={rows}
        error={error}
        onRetry={refetch}
        getId={({ tenant }) => tenant.name}
        words={words}
        pathOf={({ tenant }) => pathTo("tenants", tenant.name)}
        isOrdered
        empty={
          <Empty title="There are no tenants yet" actions={create}>
            A tenant is an organisation, or a part of one: it has clusters within a quota, and people who look
            after them and see nothing of anybody else. Make one for each that shall stand alone.
          </Empty>
        }
      />
    </Page>
  );
}
