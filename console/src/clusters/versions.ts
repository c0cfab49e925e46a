// Versions of Kubernetes that the hub offers.

import { useQuery } from "@tanstack/react-query";
import { answer, hub } from "../api/hub";
import type { components } from "../api/schema";

export type OfferedMinor = components["schemas"]["OfferedMinor"];

/** What a tenant may have, the newest first, or what clusters may have here; nothing while it is on its way. */
export function useVersions(tenant = ""): readonly OfferedMinor[] | undefined {
  const { data, error } = useQuery({
    queryKey: ["versions", tenant],
    queryFn: () =>
      answer(hub.GET("/api/v1/versions", { params: { query: tenant === "" ? {} : { tenant } } })),
    select: ({ items }) => items,
  });
  // Whoever cannot be told of any types one.
  return data ?? (error === null ? undefined : []);
}

/** Versions to choose from. */
export function offered(minors: readonly OfferedMinor[]): string[] {
  return minors.flatMap(({ versions }) => versions);
}

/** Which others may be typed. */
export function hintOf(minors: readonly OfferedMinor[]): string {
  const range = minors.map(({ minor }) => minor);
  const [newest, oldest] = [range[0], range.at(-1)];
  if (newest === undefined || oldest === undefined) {
    return "As in v1.36.3.";
  }
  const allowed = newest === oldest ? newest : isGapless(range) ? `${oldest} to ${newest}` : range.join(", ");
  return `Versions that run here are offered. Any of ${allowed} may be typed.`;
}

function isGapless(minors: readonly string[]): boolean {
  const numbers = minors.map((minor) => Number(minor.split(".")[1]));
  return numbers.every((number, at) => at === 0 || number === (numbers[at - 1] ?? 0) - 1);
}
