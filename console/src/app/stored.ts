// What a person chose, kept in the browser, the same in all its tabs.

import { useCallback, useMemo, useSyncExternalStore } from "react";

const prefix = "flotilla.";
const changed = "flotilla-stored";

function subscribe(listener: () => void): () => void {
  globalThis.addEventListener("storage", listener);
  globalThis.addEventListener(changed, listener);
  return () => {
    globalThis.removeEventListener("storage", listener);
    globalThis.removeEventListener(changed, listener);
  };
}

/** What is kept by a name; what cannot be read is not there. */
export function readStored<T>(name: string, otherwise: T): T {
  return parsed(localStorage.getItem(prefix + name), otherwise);
}

function parsed<T>(text: string | null, otherwise: T): T {
  try {
    return text === null ? otherwise : (JSON.parse(text) as T);
  } catch {
    return otherwise;
  }
}

export function useStored<T>(name: string, otherwise: T): [T, (value: T) => void] {
  const text = useSyncExternalStore(subscribe, () => localStorage.getItem(prefix + name));
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is there otherwise is a constant of the caller
  const value = useMemo(() => parsed(text, otherwise), [text]);
  const keep = useCallback(
    (next: T) => {
      localStorage.setItem(prefix + name, JSON.stringify(next));
      globalThis.dispatchEvent(new Event(changed));
    },
    [name],
  );
  return [value, keep];
}
