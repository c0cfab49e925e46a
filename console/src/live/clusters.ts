// All clusters that the user sees, as they are now: one stream of the hub, merged into the cache of queries.

import { skipToken, useQuery } from "@tanstack/react-query";
import type { Cluster } from "../api/hub";
import { queries } from "../app/queries";
import { backoff } from "./backoff";
import { connection } from "./connection";
import { events, type ServerEvent } from "./events";

export interface Fleet {
  rows: readonly Cluster[];
  /** Whether all are there that were at some time; before it they come one after the other. */
  isComplete: boolean;
}

const key = ["clusters"];
const nothing: Fleet = { rows: [], isComplete: false };

/** Changes are drawn so often, in milliseconds: a thousand at once are one change of the page. */
const every = 100;

export function useFleet(): Fleet {
  const { data } = useQuery<Fleet>({
    queryKey: key,
    queryFn: skipToken,
    initialData: nothing,
    staleTime: Number.POSITIVE_INFINITY,
  });
  return data ?? nothing;
}

/** Ids of what was made here and has not been told of yet. */
const awaited = new Set<string>();

/** The hub has taken a new cluster: it is missing only as long as the stream has not told of it. */
export function expectCluster(id: string): void {
  if (queries.getQueryData<Fleet>(key)?.rows.some((row) => row.id === id) !== true) {
    awaited.add(id);
  }
}

/** One cluster; nothing if there is none of this id, or it has not been told of yet. */
export function useCluster(id: string): { cluster: Cluster | undefined; isComplete: boolean } {
  const { rows, isComplete } = useFleet();
  return { cluster: rows.find((row) => row.id === id), isComplete: isComplete && !awaited.has(id) };
}

/** Rows of one connection. Those of the one before stay until it has told all of its own. */
class Rows {
  readonly #rows = new Map<string, Cluster>();
  #isComplete = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Whether the stream is to be begun anew. */
  take({ name, data }: ServerEvent): boolean {
    if (name === "cluster") {
      const row = JSON.parse(data) as Cluster;
      this.#rows.set(row.id, row);
      awaited.delete(row.id);
    } else if (name === "gone") {
      this.#rows.delete(data);
    } else if (name === "synced") {
      this.#isComplete = true;
      this.#draw();
      connection.isLive();
      return false;
    }
    this.#timer ??= setTimeout(() => this.#draw(), every);
    return name === "reset";
  }

  #draw(): void {
    this.stop();
    const before = queries.getQueryData<Fleet>(key) ?? nothing;
    if (this.#isComplete || !before.isComplete) {
      queries.setQueryData<Fleet>(key, { rows: [...this.#rows.values()], isComplete: this.#isComplete });
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

/** Follows the clusters until it is aborted. */
export async function follow(signal: AbortSignal): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    const rows = new Rows();
    try {
      for await (const event of events("/api/v1/clusters/watch", signal)) {
        failures = 0;
        if (rows.take(event)) {
          break;
        }
      }
    } catch (error) {
      failures += 1;
      connection.failed(error);
    }
    rows.stop();
    if (!signal.aborted) {
      // Whoever did not sign in again is asked only when they want to.
      const wait = connection.isSignedOut()
        ? Number.POSITIVE_INFINITY
        : backoff(Math.max(failures, 1), Math.random());
      await connection.pause(wait, signal);
    }
  }
}
