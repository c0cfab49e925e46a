// One object as it is now: fetched, then watched. What was seen last stays when it can be seen no more.

import { skipToken, useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useState } from "react";
import { Problem } from "../api/problem";
import { queries } from "../app/queries";
import { backoff } from "../live/backoff";
import type { KubernetesObject } from "./objects";
import { askJson } from "./request";
import { watch } from "./watch";

export interface Shown {
  object: KubernetesObject | undefined;
  isDeleted: boolean;
  /** Why what is shown may be old. */
  problem: Problem | undefined;
}

const nothing: Shown = { object: undefined, isDeleted: false, problem: undefined };

/** `path` is that of the collection it is in. */
export function useObject(cluster: string, path: string, name: string): Shown & { retry: () => void } {
  const [attempt, setAttempt] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another attempt begins anew
  useEffect(() => {
    const stop = new AbortController();
    const key = keyOf(cluster, path, name);
    const change = (next: Partial<Shown>) => {
      if (!stop.signal.aborted) {
        queries.setQueryData<Shown>(key, (before = nothing) => ({ ...before, ...next }));
      }
    };
    void follow(cluster, path, name, change, stop.signal);
    return () => stop.abort();
  }, [cluster, path, name, attempt]);
  const { data } = useQuery<Shown>({
    queryKey: keyOf(cluster, path, name),
    queryFn: skipToken,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const retry = useCallback(() => setAttempt((count) => count + 1), []);
  return { ...(data ?? nothing), retry };
}

function keyOf(...parts: string[]): string[] {
  return ["kubernetes", "object", ...parts];
}

type Told = (next: Partial<Shown>) => void;

async function follow(cluster: string, path: string, name: string, change: Told, signal: AbortSignal) {
  for (let failures = 0; !signal.aborted; ) {
    try {
      await once(cluster, path, name, change, signal);
      failures = 0;
    } catch (error) {
      failures += 1;
      if (signal.aborted || isFinal(Problem.from(error), change)) {
        return;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, backoff(Math.max(failures, 1), Math.random())));
  }
}

async function once(cluster: string, path: string, name: string, change: Told, signal: AbortSignal) {
  const whole = `${path}/${encodeURIComponent(name)}`;
  const object = await askJson<KubernetesObject>(cluster, whole, { signal });
  change({ object, isDeleted: false, problem: undefined });
  const query = new URLSearchParams({
    fieldSelector: `metadata.name=${name}`,
    resourceVersion: object.metadata.resourceVersion ?? "",
  });
  for await (const events of watch<KubernetesObject>(cluster, path, query, { signal })) {
    for (const { type, object: next } of events) {
      if (type !== "BOOKMARK") {
        change({ object: next, isDeleted: type === "DELETED" });
      }
    }
  }
}

/** Tells of a failure, and whether only somebody who changes something makes another try succeed. */
function isFinal(problem: Problem, change: Told): boolean {
  const isMissing = problem.code === "not-found";
  if (problem.status !== 410) {
    change(isMissing ? { isDeleted: true, problem } : { problem });
  }
  return isMissing || problem.code === "denied" || problem.code === "unauthenticated";
}
