// How times and amounts read.

const units: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

/** How long ago, in the largest unit that fits; `now` in milliseconds of the epoch. */
export function ago(time: string, now: number): string {
  const seconds = Math.round((Date.parse(time) - now) / 1000);
  for (const [unit, length] of units) {
    if (Math.abs(seconds) >= length) {
      return relative.format(Math.trunc(seconds / length), unit);
    }
  }
  return "just now";
}

/** The whole of a time, for whoever wants to know it exactly. */
export function exactly(time: string): string {
  return new Date(time).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "long" });
}

/** Cores of thousandths of them. */
export function cores(milli: number): string {
  return (milli / 1000).toLocaleString(undefined, { maximumFractionDigits: 1 });
}

/** Such as `1 cluster` and `5,000 clusters`. */
export function counted(amount: number, one: string): string {
  return `${amount.toLocaleString()} ${one}${amount === 1 ? "" : "s"}`;
}

const powers = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

export function bytes(amount: number): string {
  const power = amount < 1 ? 0 : Math.min(Math.floor(Math.log2(amount) / 10), powers.length - 1);
  const value = amount / 1024 ** power;
  return `${value.toLocaleString(undefined, { maximumFractionDigits: value < 10 ? 1 : 0 })} ${powers[power]}`;
}
