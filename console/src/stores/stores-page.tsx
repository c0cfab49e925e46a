// All data stores: how they are, and how full.

import { Link } from "react-router";
import { ObjectTable } from "../objects/object-table";
import { Badge } from "../ui/badge";
import { SmallMeter } from "../ui/meter";
import { Empty, Page } from "../ui/page";
import type { Column } from "../ui/table/columns";
import { pathOfStore, type Store, troubleOf, useStores } from "./stores";

const columns: readonly Column<Store>[] = [
  {
    id: "name",
    title: "Data store",
    sortBy: ({ name }) => name,
    cell: (store) => (
      <span className="flex flex-col">
        <Link
          to={pathOfStore(store.name)}
          tabIndex={-1}
          className="truncate font-medium text-accent hover:underline"
        >
          {store.name}
        </Link>
        <span className="truncate text-xs text-muted" title={troubleOf(store)}>
          {troubleOf(store) ?? store.endpoints.join(", ")}
        </span>
      </span>
    ),
  },
  {
    id: "driver",
    title: "Driver",
    width: "8rem",
    from: "tablet",
    sortBy: ({ driver }) => driver,
    cell: ({ driver }) => driver,
  },
  {
    id: "state",
    title: "State",
    width: "8rem",
    sortBy: ({ ready }) => Number(ready),
    cell: ({ ready }) => <Badge tone={ready ? "ok" : "bad"}>{ready ? "Ready" : "Not ready"}</Badge>,
  },
  {
    id: "used",
    title: "Control planes",
    width: "11rem",
    sortBy: ({ controlPlanes }) => controlPlanes,
    cell: ({ controlPlanes, capacity }) => (
      <SmallMeter label="Control planes" used={controlPlanes} total={capacity ?? undefined} />
    ),
  },
];

export function StoresPage() {
  const { data, error, refetch } = useStores();
  return (
    <Page title="Data stores" lead="Where hosted clusters keep their objects.">
      <ObjectTable
        label="Data stores"
        columns={columns}
        rows={data?.items}
        error={error}
        onRetry={refetch}
        getId={({ name }) => name}
        words={({ name, driver, endpoints }) => `${name} ${driver} ${endpoints.join(" ")}`}
        pathOf={({ name }) => pathOfStore(name)}
        empty={
          <Empty title="There are no data stores">
            A DataStore in the management cluster names one: etcd, PostgreSQL, MySQL or NATS.
          </Empty>
        }
      />
    </Page>
  );
}
