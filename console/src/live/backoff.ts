// How long to wait before the hub is tried again.

const first = 1000;
const longest = 30_000;

/** Milliseconds after so many failures in a row; `random` is from 0 to 1, so that not all pages come back at once. */
export function backoff(failures: number, random: number): number {
  const whole = Math.min(first * 2 ** (failures - 1), longest);
  return Math.round(whole * (0.5 + random / 2));
}
