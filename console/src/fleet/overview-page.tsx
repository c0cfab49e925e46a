// The fleet at a glance: states, what needs somebody now, capacity, what was done lately.

import { Link } from "react-router";
import { Activity } from "../audit/activity";
import { StateBadge } from "../clusters/state-badge";
import { useFleet } from "../live/clusters";
import { ButtonLink } from "../ui/button";
import { bytes, cores, counted } from "../ui/format";
import { Meter } from "../ui/meter";
import { Empty, Loading, Page, Section } from "../ui/page";
import { FirstSteps } from "./first-steps-section";
import { attention, capacity, countStates, type Troubled } from "./summary";

/** So many that need somebody are listed; the others are a link away. */
const most = 8;

export function OverviewPage() {
  const { rows, isComplete } = useFleet();
  if (!isComplete && rows.length === 0) {
    return (
      <Page title="Overview">
        <Loading label="Clusters are on their way" rows={8} />
      </Page>
    );
  }
  const actions = (
    <>
      <ButtonLink to="/clusters/import">Import a cluster</ButtonLink>
      <ButtonLink to="/clusters/create" look="primary">
        Create a cluster
      </ButtonLink>
    </>
  );
  if (rows.length === 0) {
    return (
      <Page title="Overview">
        <FirstSteps
          otherwise={
            <div className="rounded-xl border border-line bg-surface">
              <Empty title="There are no clusters yet" actions={actions}>
                Create one, and its control plane runs here in seconds; machines join it from anywhere. Or
                import a cluster that runs elsewhere, with one command in it.
              </Empty>
            </div>
          }
        />
      </Page>
    );
  }
  return (
    <Page title="Overview" lead={counted(rows.length, "cluster")} actions={actions}>
      <FirstSteps />
      <ul className="grid grid-cols-2 gap-3 sm:grid-cols-3 lg:grid-cols-[repeat(auto-fit,minmax(9rem,1fr))]">
        {countStates(rows).map(({ state, count }) => (
          <li key={state}>
            <Link
              to={`/clusters?state=${encodeURIComponent(state)}`}
              className="flex h-full flex-col items-start gap-2 rounded-xl border border-line bg-surface p-4 hover:border-line-strong"
            >
              <span className="text-2xl font-semibold tabular-nums">{count.toLocaleString()}</span>
              <StateBadge state={state} />
            </Link>
          </li>
        ))}
      </ul>
      <div className="grid items-start gap-5 lg:grid-cols-[3fr_2fr]">
        <Attention troubled={attention(rows)} />
        <div className="flex flex-col gap-5">
          <Use {...capacity(rows)} of={rows.length} />
          <Activity title="Recent activity" limit={8} />
        </div>
      </div>
    </Page>
  );
}

function Attention({ troubled }: { troubled: Troubled[] }) {
  return (
    <Section title="Needs attention">
      {troubled.length === 0 ? (
        <p className="text-sm text-muted">
          All clusters are well. What fails shows here, with its cause and what to do.
        </p>
      ) : (
        <ul className="-my-3 divide-y divide-line">
          {troubled.slice(0, most).map(({ cluster, cause, next }) => (
            <li key={cluster.id} className="flex flex-col gap-1 py-3">
              <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
                <Link
                  to={`/clusters/${encodeURIComponent(cluster.id)}`}
                  className="text-sm font-medium text-accent hover:underline"
                >
                  {cluster.name}
                </Link>
                <StateBadge state={cluster.state} />
                <span className="text-xs text-muted">{cluster.tenant}</span>
              </div>
              <p className="text-sm break-words">{cause}</p>
              {next !== undefined && <p className="text-sm text-muted">{next}</p>}
            </li>
          ))}
        </ul>
      )}
      {troubled.length > most && (
        <p className="mt-3 border-t border-line pt-3 text-sm">
          <Link to="/clusters?attention=yes" className="text-accent hover:underline">
            All {troubled.length} that need attention
          </Link>
        </p>
      )}
    </Section>
  );
}

function Use({ used, total, measured, of }: ReturnType<typeof capacity> & { of: number }) {
  return (
    <Section title="Capacity and use">
      {measured === 0 ? (
        <p className="text-sm text-muted">
          No cluster tells what it uses. Workers tell it once a metrics server runs in their cluster.
        </p>
      ) : (
        <div className="flex flex-col gap-4">
          <Meter label="CPU, cores" used={used.cpuMilli} total={total.cpuMilli} format={cores} />
          <Meter label="Memory" used={used.memoryBytes} total={total.memoryBytes} format={bytes} />
          <Meter label="Pods" used={used.pods} total={total.pods} format={(pods) => pods.toLocaleString()} />
          <p className="text-xs text-muted">
            Of {measured.toLocaleString()} clusters of {of.toLocaleString()} that tell it.
          </p>
        </div>
      )}
    </Section>
  );
}
