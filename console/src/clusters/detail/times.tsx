// Fields for times that come again, and for the time zone that they are of.

import { useId } from "react";
import { SelectField, TextField } from "../../ui/field";
import { dayChoices, daysText, readCron, writeCron } from "./schedule";

/** The time zone of whoever looks. */
export const here = Intl.DateTimeFormat().resolvedOptions().timeZone;

export function ZoneField({ zone, onChange }: { zone: string; onChange: (zone: string) => void }) {
  const zones = useId();
  return (
    <>
      <TextField
        label="Time zone"
        hint="By its name, such as Europe/Berlin. UTC if it is empty."
        list={zones}
        spellCheck={false}
        value={zone}
        onChange={({ target }) => onChange(target.value.trim())}
      />
      <datalist id={zones}>
        {Intl.supportedValuesOf("timeZone").map((known) => (
          <option key={known} value={known} />
        ))}
      </datalist>
    </>
  );
}

interface TimesProps {
  label: string;
  /** How it is called that there is no time. */
  never: string;
  cron: string;
  onChange: (cron: string) => void;
}

/** Days and a time, and beside them what cron reads, for whatever days and times do not say. */
export function Times({ label, never, cron, onChange }: TimesProps) {
  const found = readCron(cron);
  const days = cron === "" ? "" : (found?.days ?? "cron");
  return (
    <div className="grid grid-cols-2 gap-3 sm:grid-cols-3">
      <SelectField
        label={label}
        value={days}
        onChange={({ target }) =>
          onChange(target.value === "" ? "" : writeCron({ time: found?.time ?? "20:00", days: target.value }))
        }
      >
        <option value="">{never}</option>
        {days === "cron" && (
          <option value="cron" disabled>
            as cron says
          </option>
        )}
        {found !== undefined && dayChoices[found.days] === undefined && (
          <option value={found.days}>{daysText(found.days)}</option>
        )}
        {Object.entries(dayChoices).map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </SelectField>
      <TextField
        label={`${label} at`}
        type="time"
        disabled={found === undefined}
        value={found?.time ?? ""}
        onChange={({ target }) =>
          found !== undefined && target.value !== "" && onChange(writeCron({ ...found, time: target.value }))
        }
      />
      <TextField
        label={`${label}, as cron`}
        placeholder="0 20 * * 1-5"
        spellCheck={false}
        className="font-mono"
        value={cron}
        onChange={({ target }) => onChange(target.value)}
      />
    </div>
  );
}
