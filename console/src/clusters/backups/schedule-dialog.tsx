// Sets when backups of a hosted cluster are taken by themselves.

import { useState } from "react";
import type { Cluster } from "../../api/hub";
import { hub } from "../../api/hub";
import { IdempotencyKeys } from "../../api/idempotency";
import { Confirmed } from "../../ui/confirmed";
import { CheckField, TextField } from "../../ui/field";
import { optionalCount } from "../../ui/quantity";
import { cronText } from "../detail/schedule";
import { here, Times, ZoneField } from "../detail/times";
import { anew, type BackupSchedule, type Keeping } from "./backups";
import { periodLabels, periods, retentionText, typedRetention, writtenRetention } from "./retention";
import { isWhole, typedTarget, writtenTarget } from "./target";
import { TargetFields } from "./target-fields";

/** Kept unless somebody says something else. */
const usual = { daily: 7, weekly: 4 };

interface ScheduleDialogProps {
  cluster: Cluster;
  /** The schedule that there is. */
  before: BackupSchedule | undefined;
  kept: Keeping | undefined;
  onClose: () => void;
}

export function BackupScheduleDialog({ cluster: { id, name }, before, kept, onClose }: ScheduleDialogProps) {
  const [cron, setCron] = useState(before?.schedule ?? "0 3 * * *");
  const [zone, setZone] = useState(before === undefined ? here : (before.timeZone ?? ""));
  const [retention, setRetention] = useState(() => typedRetention(before?.retention ?? usual));
  const [target, setTarget] = useState(() => typedTarget(before?.target ?? kept?.target));
  const [isPaused, setPaused] = useState(before?.suspend ?? false);
  const [keys] = useState(() => new IdempotencyKeys());
  const isCounted = periods.every((period) => optionalCount.validate(retention[period]) === true);
  const set = () => {
    const body = {
      schedule: cron,
      timeZone: zone || null,
      suspend: isPaused,
      startingDeadlineSeconds: before?.startingDeadlineSeconds ?? null,
      retention: writtenRetention(retention),
      target: writtenTarget(target),
    };
    const header = { "Idempotency-Key": keys.of(body) };
    const params = { path: { name: id }, header };
    return hub.PUT("/api/v1/clusters/{name}/backup-schedule", { params, body });
  };
  return (
    <Confirmed
      title={`When ${name} is backed up`}
      action="Set the schedule"
      done={`${name} is backed up ${cronText(cron)}`}
      run={set}
      onClose={onClose}
      onDone={() => anew(id)}
      isDisabled={cron === "" || !isCounted || !isWhole(target)}
    >
      <Times label="Taken" never="choose" cron={cron} onChange={setCron} />
      <ZoneField zone={zone} onChange={setZone} />
      <fieldset className="flex flex-col gap-2">
        <legend className="mb-1 text-sm font-medium text-text">The newest of so many are kept</legend>
        <div className="grid grid-cols-3 gap-3 sm:grid-cols-5">
          {periods.map((period) => (
            <TextField
              key={period}
              label={periodLabels[period]}
              inputMode="numeric"
              value={retention[period]}
              error={optionalCount.validate(retention[period]) === true ? undefined : "A whole number."}
              onChange={({ target: { value } }) => setRetention({ ...retention, [period]: value.trim() })}
            />
          ))}
        </div>
        {isCounted && (
          <p aria-live="polite" className="text-xs text-muted">
            Kept: {retentionText(writtenRetention(retention))}.{" "}
            {periods.some((period) => retention[period] !== "") &&
              "The others are deleted with their archives."}
          </p>
        )}
      </fieldset>
      <TargetFields typed={target} onChange={setTarget} />
      <CheckField
        label="Take none for now"
        checked={isPaused}
        onChange={({ target: { checked } }) => setPaused(checked)}
      />
    </Confirmed>
  );
}
