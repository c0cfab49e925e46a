// When a hosted cluster sleeps and wakes by itself: in words, with the next times.

import { useState } from "react";
import type { Cluster } from "../../api/hub";
import { IdempotencyKeys } from "../../api/idempotency";
import { Button } from "../../ui/button";
import { Facts } from "../../ui/facts";
import { exactly } from "../../ui/format";
import { Section } from "../../ui/page";
import { Ago } from "../../ui/time";
import { change } from "../actions";
import { Confirmed } from "./confirmed";
import { scheduleText } from "./schedule";
import { ScheduleDialog } from "./schedule-dialog";

export function ScheduleSection({ cluster }: { cluster: Cluster }) {
  const [open, setOpen] = useState<"set" | "remove">();
  const onClose = () => setOpen(undefined);
  const { sleepSchedule: schedule, nextSleep, nextWake, scheduleRefused } = cluster;
  return (
    <Section
      title="Sleep schedule"
      actions={
        <>
          {schedule != null && (
            <Button look="quiet" onClick={() => setOpen("remove")}>
              Remove
            </Button>
          )}
          <Button onClick={() => setOpen("set")}>{schedule == null ? "Set one" : "Change"}</Button>
        </>
      }
    >
      {schedule == null ? (
        <p className="text-sm text-muted">
          None: it sleeps and wakes by hand. With a schedule such as weekdays 20:00–07:00 it costs nothing
          while nobody works.
        </p>
      ) : (
        <div className="flex flex-col gap-3">
          {scheduleRefused != null && (
            <p
              role="status"
              className="rounded-lg border border-warn bg-warn-soft px-3 py-2 text-sm wrap-anywhere"
            >
              The last time could not be followed: {scheduleRefused}
            </p>
          )}
          <Facts
            facts={[
              ["Sleeps", `${scheduleText(schedule)}, ${schedule.timeZone ?? "UTC"}`],
              ["Sleeps next", nextSleep == null ? undefined : <Next key="sleep" time={nextSleep} />],
              ["Wakes next", nextWake == null ? undefined : <Next key="wake" time={nextWake} />],
            ]}
          />
        </div>
      )}
      {open === "set" && <ScheduleDialog cluster={cluster} onClose={onClose} />}
      {open === "remove" && <Remove cluster={cluster} onClose={onClose} />}
    </Section>
  );
}

function Next({ time }: { time: string }) {
  return (
    <>
      {exactly(time)}{" "}
      <span className="text-muted">
        (<Ago time={time} />)
      </span>
    </>
  );
}

function Remove({ cluster, onClose }: { cluster: Cluster; onClose: () => void }) {
  const [keys] = useState(() => new IdempotencyKeys());
  return (
    <Confirmed
      title={`Remove the schedule of ${cluster.name}?`}
      action="Remove"
      done={`${cluster.name} sleeps and wakes by hand`}
      run={() => change(cluster, { sleepSchedule: null }, keys)}
      onClose={onClose}
    >
      <p>It stays as it is now, awake or asleep, until somebody changes that.</p>
    </Confirmed>
  );
}
