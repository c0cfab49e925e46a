// Sets when a hosted cluster sleeps and wakes by itself.

import { useState } from "react";
import { IdempotencyKeys } from "../../api/idempotency";
import { Button } from "../../ui/button";
import { change } from "../actions";
import { type ClusterDialogProps, Confirmed } from "./confirmed";
import { presets, scheduleText } from "./schedule";
import { here, Times, ZoneField } from "./times";

export function ScheduleDialog({ cluster, onClose }: ClusterDialogProps) {
  const before = cluster.sleepSchedule ?? presets[0];
  const [sleep, setSleep] = useState(before?.sleep ?? "");
  const [wake, setWake] = useState(before?.wake ?? "");
  const [timeZone, setTimeZone] = useState(cluster.sleepSchedule?.timeZone ?? here);
  const [keys] = useState(() => new IdempotencyKeys());
  const schedule = { sleep: sleep || null, wake: wake || null, timeZone: timeZone || null };
  const isEmpty = sleep === "" && wake === "";
  return (
    <Confirmed
      title={`When ${cluster.name} sleeps`}
      action="Set the schedule"
      done={`${cluster.name}: ${scheduleText(schedule)}`}
      run={() => change(cluster, { sleepSchedule: schedule }, keys)}
      onClose={onClose}
      isDisabled={isEmpty}
    >
      <div className="flex flex-wrap gap-2">
        {presets.map((preset) => (
          <Button
            key={preset.told}
            title={scheduleText(preset)}
            className="h-auto! py-1.5 whitespace-normal!"
            onClick={() => {
              setSleep(preset.sleep ?? "");
              setWake(preset.wake ?? "");
            }}
          >
            {preset.told}
          </Button>
        ))}
      </div>
      <Times label="Sleeps" never="never by itself" cron={sleep} onChange={setSleep} />
      <Times label="Wakes" never="never by itself" cron={wake} onChange={setWake} />
      <ZoneField zone={timeZone} onChange={setTimeZone} />
      <p aria-live="polite" className="text-text">
        {isEmpty ? "It neither sleeps nor wakes by itself." : `In words: ${scheduleText(schedule)}.`}
      </p>
    </Confirmed>
  );
}
