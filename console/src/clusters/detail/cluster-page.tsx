// One cluster: what it is and how it is, what can be done with it, and tabs for all else.

import { Outlet, useOutletContext, useParams } from "react-router";
import type { Cluster } from "../../api/hub";
import { useCluster } from "../../live/clusters";
import { ButtonLink } from "../../ui/button";
import { Empty, Loading, Page } from "../../ui/page";
import { Tabs } from "../../ui/tabs";
import { StateBadge } from "../state-badge";
import { Actions } from "./actions";
import { tabs } from "./tabs";

/** The cluster whose page it is, in each of its tabs. */
export function useShownCluster(): Cluster {
  return useOutletContext<Cluster>();
}

export function ClusterPage() {
  const { id = "" } = useParams();
  const { cluster, isComplete } = useCluster(id);
  if (cluster === undefined) {
    return (
      <Page title={id}>
        {isComplete ? (
          <Empty
            title="There is no such cluster"
            actions={<ButtonLink to="/clusters">All clusters</ButtonLink>}
          >
            It was deleted, or you may not see it; ask its owner for a grant.
          </Empty>
        ) : (
          <Loading label="The cluster is on its way" rows={8} />
        )}
      </Page>
    );
  }
  const lead = (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
      <StateBadge state={cluster.state} />
      <span>{cluster.kind === "hosted" ? "Hosted here" : "Imported"}</span>
      {cluster.tenant != null && <span>Tenant {cluster.tenant}</span>}
      {cluster.version != null && <span>Kubernetes {cluster.version}</span>}
    </div>
  );
  return (
    <Page title={cluster.name} lead={lead} actions={<Actions cluster={cluster} />}>
      <Tabs label="Cluster" tabs={tabs} />
      <Outlet context={cluster} />
    </Page>
  );
}
