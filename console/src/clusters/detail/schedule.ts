// Schedules of sleep in words: times of a day on some days of the week, which cron writes as `0 20 * * 1-5`.

import type { Cluster } from "../../api/hub";

export type Schedule = NonNullable<Cluster["sleepSchedule"]>;

export interface Daily {
  /** Such as `20:00`. */
  time: string;
  /** As cron writes them: `*`, `1-5`, `0,6`. */
  days: string;
}

const names = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/** Days that are offered, by how cron writes them. */
export const dayChoices: Readonly<Record<string, string>> = {
  "*": "every day",
  "1-5": "weekdays",
  "0,6": "weekends",
  "1": "Mondays",
  "2": "Tuesdays",
  "3": "Wednesdays",
  "4": "Thursdays",
  "5": "Fridays",
  "6": "Saturdays",
  "0": "Sundays",
};

const daily = /^(\d{1,2})\s+(\d{1,2})\s+\*\s+\*\s+(\S+)$/;

/** Nothing if it is no time of a day on days of the week. */
export function readCron(cron: string): Daily | undefined {
  const [, minute = "", hour = "", days = ""] = daily.exec(cron.trim()) ?? [];
  const isTime = days !== "" && Number(minute) < 60 && Number(hour) < 24;
  return isTime ? { time: `${hour.padStart(2, "0")}:${minute.padStart(2, "0")}`, days } : undefined;
}

export function writeCron({ time, days }: Daily): string {
  const [hour = "0", minute = "0"] = time.split(":");
  return `${Number(minute)} ${Number(hour)} * * ${days}`;
}

export function daysText(days: string): string {
  const known = dayChoices[days];
  if (known !== undefined) {
    return known;
  }
  const parts = days.split(",").map((part) => part.split("-").map((day) => names[Number(day) % 7] ?? day));
  return parts.map((part) => part.join("–")).join(", ");
}

/** Such as `weekdays at 20:00`. */
export function cronText(cron: string): string {
  const found = readCron(cron);
  return found === undefined ? `at “${cron}”` : `${daysText(found.days)} at ${found.time}`;
}

/** Such as `weekdays 20:00–07:00`. What cron says otherwise stands as it is. */
export function scheduleText({ sleep, wake }: Schedule): string {
  const [evening, morning] = [readCron(sleep ?? ""), readCron(wake ?? "")];
  if (evening !== undefined && morning !== undefined && evening.days === morning.days) {
    return `${daysText(evening.days)} ${evening.time}–${morning.time}`;
  }
  const parts = [
    sleep ? `sleeps ${cronText(sleep)}` : undefined,
    wake ? `wakes ${cronText(wake)}` : sleep ? "is woken by hand" : undefined,
  ];
  return parts.filter(Boolean).join(", ");
}

/** Schedules to begin with. */
export const presets: readonly (Schedule & { told: string })[] = [
  { sleep: "0 20 * * 1-5", wake: "0 7 * * 1-5", told: "Nights and weekends" },
  { sleep: "0 22 * * *", wake: "0 6 * * *", told: "Every night" },
  { sleep: "0 20 * * *", wake: "", told: "From the evening on, until somebody wakes it" },
];
