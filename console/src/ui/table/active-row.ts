// Which row of a long table has the focus, and how the keyboard moves it.

import { type KeyboardEvent, useCallback, useLayoutEffect, useRef, useState } from "react";

/** Rows that a page has. */
const page = 12;

/** Where a key leads from a row, or nothing if it leads nowhere. */
export function moved(key: string, from: number, count: number): number | undefined {
  const steps: Record<string, number> = {
    ArrowDown: 1,
    ArrowUp: -1,
    PageDown: page,
    PageUp: -page,
    Home: -count,
    End: count,
  };
  const step = steps[key];
  return step === undefined || count === 0 ? undefined : Math.min(Math.max(from + step, 0), count - 1);
}

interface ActiveRow {
  index: number;
  bodyRef: React.RefObject<HTMLTableSectionElement | null>;
  onKeyDown: (event: KeyboardEvent) => void;
  onFocus: (index: number) => void;
}

/** Only one row is reached by Tab; the arrows reach the others. `show` scrolls to one that is not there yet. */
export function useActiveRow(count: number, show: (index: number) => void): ActiveRow {
  const [index, setIndex] = useState(0);
  const bodyRef = useRef<HTMLTableSectionElement>(null);
  const wanted = useRef<number>(undefined);

  useLayoutEffect(() => {
    const row =
      wanted.current === undefined
        ? null
        : bodyRef.current?.querySelector<HTMLElement>(`[data-index="${wanted.current}"]`);
    if (row != null) {
      wanted.current = undefined;
      row.focus({ preventScroll: true });
    }
  });

  const onKeyDown = useCallback(
    (event: KeyboardEvent) => {
      const isOfRow = (event.target as HTMLElement).dataset.index !== undefined;
      const next = isOfRow ? moved(event.key, index, count) : undefined;
      if (next !== undefined) {
        event.preventDefault();
        wanted.current = next;
        setIndex(next);
        show(next);
      }
    },
    [count, index, show],
  );
  return { index: Math.min(index, Math.max(count - 1, 0)), bodyRef, onKeyDown, onFocus: setIndex };
}
