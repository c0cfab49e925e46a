// What happened to a hosted cluster's control plane and its pods, the newest first.

import { useQuery } from "@tanstack/react-query";
import { answer, hub } from "../../api/hub";
import { EventList } from "../../ui/event-list";
import { Empty, Loading, Section } from "../../ui/page";
import { ProblemPanel } from "../../ui/problem-panel";
import { useShownCluster } from "./cluster-page";

/** Asked for again so often, in milliseconds, while they are looked at. */
const every = 10_000;

export function EventsTab() {
  const { id, kind } = useShownCluster();
  return kind === "hosted" ? (
    <Events id={id} />
  ) : (
    <Empty title="Its control plane runs elsewhere">
      What happens in the cluster itself is in the explorer, with the kind Event.
    </Empty>
  );
}

function Events({ id }: { id: string }) {
  const { data, error, refetch } = useQuery({
    queryKey: ["events", id],
    queryFn: () => answer(hub.GET("/api/v1/clusters/{name}/events", { params: { path: { name: id } } })),
    refetchInterval: every,
  });
  const events = data?.items.map(({ kind, time, regarding, ...event }) => ({
    ...event,
    isWarning: kind === "Warning",
    time: time ?? undefined,
    about: regarding,
  }));
  return (
    <Section title="What happened to its control plane">
      <ProblemPanel error={error} onRetry={refetch} />
      {events === undefined && error === null && <Loading label="Events are on their way" />}
      {events?.length === 0 && (
        <p className="text-sm text-muted">
          Nothing happened to it lately; the management cluster keeps events for an hour.
        </p>
      )}
      {events !== undefined && <EventList events={events} />}
    </Section>
  );
}
