// The cache of what the hub answered.

import { QueryClient } from "@tanstack/react-query";
import { Problem } from "../api/problem";

/** What is worth another try by itself: everything else stays as it is until somebody changes it. */
function isPassing(failures: number, error: unknown): boolean {
  const { code } = Problem.from(error);
  return failures < 2 && (code === "away" || code === "unavailable");
}

export const queries = new QueryClient({
  defaultOptions: {
    queries: { staleTime: 15_000, retry: isPassing, refetchOnWindowFocus: true },
    mutations: { retry: false },
  },
});
