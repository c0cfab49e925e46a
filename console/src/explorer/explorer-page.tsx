// The explorer of one cluster: kinds to choose from, and what they lead to.

import { Navigate, Outlet, useOutletContext, useParams } from "react-router";
import { useKinds } from "../kubernetes/discovery";
import type { Kind } from "../kubernetes/kinds";
import { useCluster } from "../live/clusters";
import { ButtonLink } from "../ui/button";
import { Empty, Loading, Page } from "../ui/page";
import { ProblemPanel } from "../ui/problem-panel";
import { KindList, KindSelect } from "./kind-list";
import { LastKnown } from "./last-known";

export interface Explorer {
  /** The cluster's id. */
  cluster: string;
  /** As people call it. */
  name: string;
  kinds: readonly Kind[];
}

/** Of which cluster the page is, below the explorer. */
export function useExplorer(): Explorer {
  return useOutletContext<Explorer>();
}

/** The kind that the address names, if the cluster has it. */
export function useKind(): Kind | undefined {
  const { resource } = useParams();
  return useExplorer().kinds.find(({ id }) => id === resource);
}

export function ExplorerPage() {
  const { id = "", resource } = useParams();
  const { cluster } = useCluster(id);
  const { data: kinds, error, refetch } = useKinds(id);
  const name = cluster?.name ?? id;
  if (kinds === undefined) {
    return (
      <Page title="Explorer" lead={name}>
        {error === null ? (
          <Loading label="Kinds are on their way" rows={8} />
        ) : (
          <>
            <ProblemPanel error={error} onRetry={refetch} />
            {cluster !== undefined && <LastKnown cluster={cluster} />}
          </>
        )}
      </Page>
    );
  }
  return (
    <div className="flex">
      <KindList cluster={id} kinds={kinds} shown={resource} />
      <div className="min-w-0 flex-1">
        <KindSelect cluster={id} kinds={kinds} shown={resource} />
        <Outlet context={{ cluster: id, name, kinds } satisfies Explorer} />
      </div>
    </div>
  );
}

/** Nothing was chosen yet. */
export function FirstKind() {
  return <Navigate to="pods" replace />;
}

export function NoSuchKind({ resource }: { resource: string }) {
  const { name } = useExplorer();
  return (
    <Page title={resource}>
      <Empty
        title="This cluster has no such kind"
        actions={<ButtonLink to="/clusters">All clusters</ButtonLink>}
      >
        {name} does not know <code className="font-mono">{resource}</code>: what adds it may not be installed
        there, or not any more.
      </Empty>
    </Page>
  );
}
