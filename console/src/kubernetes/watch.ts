// Watches: what changes of a collection, from a resource version on.

import { Problem } from "../api/problem";
import { isStatus, told } from "../api/status";
import { lines } from "./lines";
import { ask } from "./request";

export interface WatchEvent<T> {
  type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  object: T;
}

/** Milliseconds: bookmarks come about once a minute; a watch that says nothing for longer is begun anew. */
const silence = 150_000;
/** Seconds after which the server ends a watch, so that it goes on elsewhere. */
const longest = 900;

/** A resource version that the cluster knows no more: all is to be listed anew. */
export function isGone(error: unknown): boolean {
  return error instanceof Problem && error.status === 410;
}

/** Ends when the server or silence ends it; whoever wants more asks again. Failures are thrown as problems. */
export async function* watch<T>(
  cluster: string,
  path: string,
  query: URLSearchParams,
  options: { accept?: string; signal: AbortSignal },
): AsyncGenerator<WatchEvent<T>[]> {
  const quiet = new AbortController();
  const stop = () => quiet.abort();
  let timer = setTimeout(stop, silence);
  options.signal.addEventListener("abort", stop);
  const asked = new URLSearchParams(query);
  asked.set("watch", "1");
  asked.set("allowWatchBookmarks", "true");
  asked.set("timeoutSeconds", String(longest));
  try {
    const { body } = await ask(cluster, `${path}?${asked}`, { ...options, signal: quiet.signal });
    for await (const some of body === null ? [] : lines(body)) {
      clearTimeout(timer);
      timer = setTimeout(stop, silence);
      yield some.filter((line) => line !== "").map((line) => event<T>(line));
    }
  } catch (error) {
    if (!quiet.signal.aborted || options.signal.aborted) {
      throw error;
    }
  } finally {
    clearTimeout(timer);
    options.signal.removeEventListener("abort", stop);
    quiet.abort();
  }
}

function event<T>(line: string): WatchEvent<T> {
  const found = JSON.parse(line) as { type: string; object: unknown };
  if (found.type === "ERROR") {
    const status = isStatus(found.object) ? found.object : { kind: "Status" as const };
    throw new Problem(told(status));
  }
  return found as WatchEvent<T>;
}
