// What happened to an object, the newest first.

import { useQuery } from "@tanstack/react-query";
import { collectionPath } from "../../kubernetes/kinds";
import type { KubernetesObject } from "../../kubernetes/objects";
import { askJson } from "../../kubernetes/request";
import { EventList } from "../../ui/event-list";
import { Loading } from "../../ui/page";
import { ProblemPanel } from "../../ui/problem-panel";
import { useShownObject } from "./object-page";

interface Event extends KubernetesObject {
  type?: string;
  reason?: string;
  message?: string;
  count?: number;
  lastTimestamp?: string | null;
  eventTime?: string | null;
}

/** Asked for again so often, in milliseconds, while they are looked at. */
const every = 10_000;

function timeOf({ lastTimestamp, eventTime, metadata }: Event): string {
  return lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? "";
}

export function Events() {
  const { cluster, kinds, object } = useShownObject();
  const { uid = "", namespace } = object.metadata;
  const kind = kinds.find(({ id }) => id === "events");
  const query = new URLSearchParams({ fieldSelector: `involvedObject.uid=${uid}`, limit: "100" });
  const { data, error, refetch } = useQuery({
    queryKey: ["kubernetes", cluster, "events", uid],
    queryFn: ({ signal }) => {
      const path = kind === undefined ? "" : collectionPath(kind, namespace);
      return askJson<{ items: Event[] }>(cluster, `${path}?${query}`, { signal });
    },
    refetchInterval: every,
  });
  if (error !== null) {
    return <ProblemPanel error={error} onRetry={refetch} />;
  }
  if (data === undefined) {
    return <Loading label="Events are on their way" rows={2} />;
  }
  if (data.items.length === 0) {
    return (
      <p className="text-sm text-muted">Nothing happened to it lately; clusters keep events for an hour.</p>
    );
  }
  const events = data.items.toSorted((one, other) => timeOf(other).localeCompare(timeOf(one)));
  const happenings = events.map((event) => ({
    id: event.metadata.uid ?? "",
    isWarning: event.type === "Warning",
    reason: event.reason ?? "Event",
    message: event.message ?? "",
    time: timeOf(event) || undefined,
    count: event.count ?? 1,
  }));
  return <EventList events={happenings} />;
}
