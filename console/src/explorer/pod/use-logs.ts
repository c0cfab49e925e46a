// Follows the logs of containers into a ring of lines.

import { useEffect, useState } from "react";
import { Problem } from "../../api/problem";
import { lines } from "../../kubernetes/lines";
import { ask } from "../../kubernetes/request";
import { type LogLine, LogRing } from "./ring";

export interface LogQuery {
  cluster: string;
  /** Of the pod. */
  path: string;
  containers: readonly string[];
  isPrevious: boolean;
}

export interface Logs {
  lines: readonly LogLine[];
  dropped: number;
  isEnded: boolean;
  problem: Problem | undefined;
}

const nothing: Logs = { lines: [], dropped: 0, isEnded: false, problem: undefined };

/** Lines of before that are fetched of each container. */
const before = 1000;
/** Drawn so often, in milliseconds. */
const every = 120;

/** Where a log is saved from, whole. */
export function logPath(path: string, container: string, more: Record<string, string>): string {
  return `${path}/log?${new URLSearchParams({ container, timestamps: "true", ...more })}`;
}

/** `attempt` begins anew whenever it is another. */
export function useLogs({ cluster, path, containers, isPrevious }: LogQuery, attempt: number): Logs {
  const [logs, setLogs] = useState(nothing);
  const names = containers.join(" ");
  // biome-ignore lint/correctness/useExhaustiveDependencies: another attempt begins anew
  useEffect(() => {
    const stop = new AbortController();
    const ring = new LogRing();
    let problem: Problem | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const draw = (isEnded: boolean) => {
      timer = undefined;
      setLogs({ lines: ring.lines, dropped: ring.dropped, isEnded, problem });
    };
    const one = async (container: string) => {
      const more = isPrevious ? { previous: "true" } : { follow: "true" };
      const asked = logPath(path, container, { ...more, tailLines: String(before) });
      const { body } = await ask(cluster, asked, { accept: "*/*", signal: stop.signal });
      for await (const some of body === null ? [] : lines(body)) {
        ring.push(container, some);
        timer ??= setTimeout(() => draw(false), every);
      }
    };
    setLogs(nothing);
    const all = names.split(" ").map((container) =>
      one(container).catch((error: unknown) => {
        problem ??= Problem.from(error);
      }),
    );
    void Promise.all(all).then(() => {
      clearTimeout(timer);
      if (!stop.signal.aborted) {
        draw(true);
      }
    });
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [cluster, path, names, isPrevious, attempt]);
  return logs;
}
