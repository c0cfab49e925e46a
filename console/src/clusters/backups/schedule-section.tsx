// When backups of a cluster are taken by themselves, and which are kept.

import { useState } from "react";
import type { Cluster } from "../../api/hub";
import { hub } from "../../api/hub";
import { Badge } from "../../ui/badge";
import { Button } from "../../ui/button";
import { Confirmed } from "../../ui/confirmed";
import { Facts } from "../../ui/facts";
import { Loading, Section } from "../../ui/page";
import { ProblemPanel } from "../../ui/problem-panel";
import { Ago } from "../../ui/time";
import { cronText } from "../detail/schedule";
import { anew, type BackupSchedule, type Keeping, useBackupSchedule } from "./backups";
import { retentionText } from "./retention";
import { BackupScheduleDialog } from "./schedule-dialog";
import { targetText } from "./target";

interface SectionProps {
  cluster: Cluster;
  kept: Keeping | undefined;
}

export function BackupScheduleSection({ cluster, kept }: SectionProps) {
  const { data, error, refetch } = useBackupSchedule(cluster.id);
  const [open, setOpen] = useState<"set" | "remove">();
  const onClose = () => setOpen(undefined);
  const schedule = data?.schedule ?? undefined;
  return (
    <Section
      title="Schedule of backups"
      actions={
        <>
          {schedule !== undefined && (
            <Button look="quiet" onClick={() => setOpen("remove")}>
              Remove
            </Button>
          )}
          {data !== undefined && (
            <Button onClick={() => setOpen("set")}>{schedule === undefined ? "Set one" : "Change"}</Button>
          )}
        </>
      }
    >
      <ProblemPanel error={error} onRetry={refetch} />
      {data === undefined && error === null && <Loading label="The schedule is on its way" rows={2} />}
      {data !== undefined && schedule === undefined && (
        <p className="text-sm text-muted">None: backups are taken by hand alone.</p>
      )}
      {schedule !== undefined && <Shown schedule={schedule} />}
      {open === "set" && (
        <BackupScheduleDialog cluster={cluster} before={schedule} kept={kept} onClose={onClose} />
      )}
      {open === "remove" && (
        <Confirmed
          title={`Take no more backups of ${cluster.name} by themselves?`}
          action="Remove"
          done={`Backups of ${cluster.name} are taken by hand alone`}
          run={() =>
            hub.DELETE("/api/v1/clusters/{name}/backup-schedule", { params: { path: { name: cluster.id } } })
          }
          onClose={onClose}
          onDone={() => anew(cluster.id)}
        >
          <p>
            The backups that there are stay, with their archives. None of them is deleted by itself any more.
          </p>
        </Confirmed>
      )}
    </Section>
  );
}

function Shown({ schedule }: { schedule: BackupSchedule }) {
  const { ready, suspend, message, next, lastSuccessful, kept } = schedule;
  const isWell = ready !== false || suspend;
  return (
    <div className="flex flex-col gap-3">
      {!isWell && (
        <p
          role="status"
          className="rounded-lg border border-warn bg-warn-soft px-3 py-2 text-sm wrap-anywhere"
        >
          {message}
        </p>
      )}
      <Facts
        facts={[
          ["Taken", `${cronText(schedule.schedule)}, ${schedule.timeZone ?? "UTC"}`],
          [
            "Paused",
            suspend ? (
              <Badge key="paused" tone="rest">
                None are taken for now
              </Badge>
            ) : undefined,
          ],
          ["Kept", retentionText(schedule.retention)],
          ["Kept in", targetText(schedule.target)],
          ["Next", next == null ? undefined : <Ago key="next" time={next} />],
          [
            "Last that did well",
            lastSuccessful == null ? undefined : <Ago key="last" time={lastSuccessful} />,
          ],
          ["There are", kept == null ? undefined : kept],
        ]}
      />
    </div>
  );
}
