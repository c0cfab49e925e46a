// One data store: how it is, and the clusters on it, which can be moved to another one.

import { useState } from "react";
import { Link, useParams } from "react-router";
import type { Cluster } from "../api/hub";
import type { components } from "../api/schema";
import { pathOf } from "../clusters/columns";
import { MoveDialog } from "../clusters/detail/move-dialog";
import { StateBadge } from "../clusters/state-badge";
import { useFleet } from "../live/clusters";
import { ObjectTable } from "../objects/object-table";
import { OnePage } from "../objects/one-page";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { Conditions } from "../ui/conditions";
import { Facts } from "../ui/facts";
import { Meter } from "../ui/meter";
import { Empty, Section } from "../ui/page";
import type { Column } from "../ui/table/columns";
import { Ago } from "../ui/time";
import { healthOf, useStore } from "./stores";

type Shown = components["schemas"]["DataStoreShown"];
type Stored = Shown["clusters"][number];

export function StorePage() {
  const { name = "" } = useParams();
  return (
    <OnePage
      title={name}
      noun="datastores"
      query={useStore(name)}
      lead={({ driver, ready }) => (
        <span className="flex items-center gap-3">
          <Badge tone={ready ? "ok" : "bad"}>{ready ? "Ready" : "Not ready"}</Badge>
          {driver}
        </span>
      )}
    >
      {(store) => (
        <div className="flex flex-col gap-5">
          <div className="grid items-start gap-5 lg:grid-cols-2">
            <Section title="Facts">
              <StoreFacts store={store} />
            </Section>
            <Section title="Conditions">
              <Conditions conditions={healthOf(store)} />
            </Section>
          </div>
          <Clusters clusters={store.clusters} />
        </div>
      )}
    </OnePage>
  );
}

function StoreFacts({ store: { endpoints, controlPlanes, capacity, created } }: { store: Shown }) {
  return (
    <div className="flex flex-col gap-4">
      <Facts
        facts={[
          ["Addresses", endpoints.join(", ")],
          ["Control planes", capacity == null ? `${controlPlanes}, without a limit` : undefined],
          ["Known since", created == null ? undefined : <Ago key="created" time={created} />],
        ]}
      />
      {capacity != null && (
        <Meter label="Control planes" used={controlPlanes} total={capacity} format={String} />
      )}
    </div>
  );
}

function columnsOf(move: (id: string) => void): readonly Column<Stored>[] {
  return [
    {
      id: "cluster",
      title: "Cluster",
      sortBy: ({ id }) => id,
      cell: (stored) => (
        <Link to={pathOf(stored)} tabIndex={-1} className="truncate font-medium text-accent hover:underline">
          {stored.id}
        </Link>
      ),
    },
    {
      id: "state",
      title: "State",
      width: "10.5rem",
      sortBy: ({ state }) => state ?? undefined,
      cell: ({ state }) => (state == null ? "—" : <StateBadge state={state} />),
    },
    {
      id: "tenant",
      title: "Tenant",
      from: "tablet",
      sortBy: ({ tenant }) => tenant ?? undefined,
      cell: ({ tenant }) => tenant ?? "—",
    },
    {
      id: "actions",
      title: "Actions",
      width: "7rem",
      cell: ({ id }) => (
        <Button aria-label={`Move ${id}`} onClick={() => move(id)}>
          Move
        </Button>
      ),
    },
  ];
}

function Clusters({ clusters }: { clusters: readonly Stored[] }) {
  const { rows } = useFleet();
  const [moved, setMoved] = useState<string>();
  const cluster: Cluster | undefined = rows.find(({ id }) => id === moved);
  return (
    <Section title="Clusters on it">
      <div className="flex flex-col gap-4">
        <ObjectTable
          label="Clusters on it"
          columns={columnsOf(setMoved)}
          rows={clusters}
          error={null}
          onRetry={() => undefined}
          getId={({ id }) => id}
          words={({ id, tenant }) => `${id} ${tenant ?? ""}`}
          pathOf={pathOf}
          empty={
            <Empty title="No cluster is on it">
              Clusters get a store when they are made, or are moved to it.
            </Empty>
          }
        />
      </div>
      {cluster !== undefined && <MoveDialog cluster={cluster} onClose={() => setMoved(undefined)} />}
    </Section>
  );
}
