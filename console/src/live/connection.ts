// Whether the hub answers, for the banner that says so.

import { useSyncExternalStore } from "react";
import { Problem } from "../api/problem";

export interface Connection {
  state: "connecting" | "live" | "away";
  /** Since when it has been away, in milliseconds of the epoch. */
  since?: number;
  /** What it answered, if it did; nothing if it does not answer. */
  refusal?: Problem;
}

let now: Connection = { state: "connecting" };
let wake: (() => void) | undefined;
const listeners = new Set<() => void>();

function become(next: Connection): void {
  now = next;
  for (const listener of listeners) {
    listener();
  }
}

export const connection = {
  isLive(): void {
    become({ state: "live" });
  },

  failed(error: unknown): void {
    const problem = Problem.from(error);
    const refusal = problem.code === "away" ? {} : { refusal: problem };
    become({ state: "away", since: now.since ?? Date.now(), ...refusal });
  },

  /** Whether the user did not want to sign in again. */
  isSignedOut(): boolean {
    return now.refusal?.code === "unauthenticated";
  },

  /** Waits before the next try; shorter if somebody asks for it, or the browser is back. */
  async pause(milliseconds: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = Number.isFinite(milliseconds) ? setTimeout(resolve, milliseconds) : undefined;
    wake = resolve;
    signal.addEventListener("abort", () => resolve());
    globalThis.addEventListener("online", connection.retry);
    await promise;
    globalThis.removeEventListener("online", connection.retry);
    clearTimeout(timer);
  },

  /** Tries at once. */
  retry(): void {
    wake?.();
  },
};

export function useConnection(): Connection {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => now,
  );
}
