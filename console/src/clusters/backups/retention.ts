// Which backups of a schedule are kept, in words and as it is typed.

import type { Retention } from "./backups";

export const periods = ["last", "hourly", "daily", "weekly", "monthly"] as const;

type Period = (typeof periods)[number];

export type TypedRetention = Record<Period, string>;

/** What each field is about. */
export const periodLabels: Record<Period, string> = {
  last: "Newest",
  hourly: "Hours",
  daily: "Days",
  weekly: "Weeks",
  monthly: "Months",
};

const units: Record<Exclude<Period, "last">, string> = {
  hourly: "hour",
  daily: "day",
  weekly: "week",
  monthly: "month",
};

export function typedRetention(retention: Retention | undefined): TypedRetention {
  const texts = periods.map((period) => [period, String(retention?.[period] ?? "")]);
  return Object.fromEntries(texts) as TypedRetention;
}

export function writtenRetention(typed: TypedRetention): Retention {
  const written = periods.filter((period) => typed[period] !== "");
  return Object.fromEntries(written.map((period) => [period, Number(typed[period])]));
}

/** Such as `the newest 3, one a day for 7 days`. */
export function retentionText(retention: Retention): string {
  const parts = periods.flatMap((period) => {
    const amount = retention[period];
    if (amount == null) {
      return [];
    }
    const unit = period === "last" ? undefined : units[period];
    return unit === undefined
      ? [`the newest ${amount}`]
      : [`one of each of ${amount} ${unit}${amount === 1 ? "" : "s"}`];
  });
  return parts.length === 0 ? "all of them" : parts.join(", ");
}
