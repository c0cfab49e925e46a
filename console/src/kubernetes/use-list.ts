// Live lists of a cluster for pages: what was seen last is there at once, and brought up to date.

import { skipToken, useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useState } from "react";
import { queries } from "../app/queries";
import { Follower, type List, type ListQuery } from "./list";

const nothing: List = {
  columns: [],
  rows: [],
  remaining: undefined,
  isComplete: false,
  stale: undefined,
};

/** Nothing is asked without a query. */
export function useList(query: ListQuery | undefined): { list: List; retry: () => void } {
  const { cluster = "", path = "", labels = "", fields = "" } = query ?? {};
  const [attempt, setAttempt] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another attempt begins anew
  useEffect(() => {
    if (path === "") {
      return;
    }
    const stop = new AbortController();
    const key = keyOf(cluster, path, labels, fields);
    const before = queries.getQueryData<List>(key) ?? nothing;
    const draw = (list: List) => queries.setQueryData<List>(key, list);
    void new Follower({ cluster, path, labels, fields }, before, draw, stop.signal).follow();
    return () => stop.abort();
  }, [cluster, path, labels, fields, attempt]);
  const { data } = useQuery<List>({
    queryKey: keyOf(cluster, path, labels, fields),
    queryFn: skipToken,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const retry = useCallback(() => setAttempt((count) => count + 1), []);
  return { list: data ?? nothing, retry };
}

function keyOf(...parts: string[]): string[] {
  return ["kubernetes", "list", ...parts];
}
