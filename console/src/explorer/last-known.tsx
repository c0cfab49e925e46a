// What is known of a cluster that does not answer.

import { Link } from "react-router";
import type { Cluster } from "../api/hub";
import { pathOf } from "../clusters/columns";
import { troubleOf } from "../clusters/state";
import { StateBadge } from "../clusters/state-badge";
import { Section } from "../ui/page";
import { Ago } from "../ui/time";

export function LastKnown({ cluster }: { cluster: Cluster }) {
  const trouble = troubleOf(cluster);
  return (
    <Section title="Last known state">
      <div className="flex flex-col gap-2 text-sm">
        <p className="flex flex-wrap items-center gap-2">
          <StateBadge state={cluster.state} />
          {cluster.lastSeen != null && (
            <span>
              Seen <Ago time={cluster.lastSeen} />
            </span>
          )}
          {cluster.nodes != null && (
            <span>
              {cluster.nodes.ready} of {cluster.nodes.total} nodes were ready
            </span>
          )}
        </p>
        {trouble !== undefined && <p className="break-words">{trouble.cause}</p>}
        <p>
          <Link to={pathOf(cluster)} className="text-accent hover:underline">
            Conditions and facts of {cluster.name}
          </Link>
        </p>
      </div>
    </Section>
  );
}
