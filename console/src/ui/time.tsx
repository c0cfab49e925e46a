// A time as people say it, with the exact one behind it.

import { useSyncExternalStore } from "react";
import { ago, exactly } from "./format";

const every = 30_000;

let now = Date.now();
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const told of listeners) {
      told();
    }
  }, every);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** Stays true while it is shown. */
export function Ago({ time }: { time: string }) {
  const at = useSyncExternalStore(subscribe, () => now);
  return (
    <time dateTime={time} title={exactly(time)}>
      {ago(time, Math.max(at, Date.parse(time)))}
    </time>
  );
}
