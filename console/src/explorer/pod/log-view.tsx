// Lines of a log, as many as are in sight.

import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef } from "react";
import type { LogLine } from "./ring";

const lineHeight = 20;

interface LogViewProps {
  lines: readonly LogLine[];
  /** What is marked, in small letters. */
  wanted: string;
  hasTimes: boolean;
  hasContainers: boolean;
  /** Whether the newest line stays in sight. */
  isFollowed: boolean;
  onFollow: (isFollowed: boolean) => void;
}

export function LogView({ lines, wanted, hasTimes, hasContainers, isFollowed, onFollow }: LogViewProps) {
  const scrollRef = useRef<HTMLElement>(null);
  const virtualizer = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scrollRef.current,
    estimateSize: () => lineHeight,
    overscan: 20,
  });
  useEffect(() => {
    if (isFollowed && lines.length > 0) {
      virtualizer.scrollToIndex(lines.length - 1, { align: "end" });
    }
  }, [isFollowed, lines, virtualizer]);
  const onScroll = () => {
    const { scrollTop = 0, scrollHeight = 0, clientHeight = 0 } = scrollRef.current ?? {};
    const isAtEnd = scrollHeight - scrollTop - clientHeight < lineHeight * 2;
    if (isAtEnd && !isFollowed) {
      onFollow(true);
    }
  };
  return (
    <section
      ref={scrollRef}
      aria-label="Log"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: whoever has no mouse scrolls it too
      tabIndex={0}
      onScroll={onScroll}
      onWheel={(event) => event.deltaY < 0 && onFollow(false)}
      onTouchMove={() => onFollow(false)}
      onKeyDown={(event) => ["ArrowUp", "PageUp", "Home"].includes(event.key) && onFollow(false)}
      className="h-[max(20rem,calc(100dvh-22rem))] overflow-auto rounded-xl border border-line bg-surface py-2 font-mono text-xs"
    >
      <div className="relative min-w-max" style={{ height: virtualizer.getTotalSize() }}>
        {virtualizer.getVirtualItems().map(({ index, start }) => {
          const line = lines[index];
          return (
            line !== undefined && (
              <div
                key={line.id}
                className="absolute left-0 flex gap-3 px-4 leading-5 whitespace-pre hover:bg-sunken"
                style={{ top: start, height: lineHeight }}
              >
                {hasTimes && <span className="text-muted">{line.time}</span>}
                {hasContainers && <span className="text-accent">{line.container}</span>}
                <span>
                  <Marked text={line.text} wanted={wanted} />
                </span>
              </div>
            )
          );
        })}
      </div>
    </section>
  );
}

function Marked({ text, wanted }: { text: string; wanted: string }) {
  const place = wanted === "" ? -1 : text.toLowerCase().indexOf(wanted);
  return place === -1 ? (
    text
  ) : (
    <>
      {text.slice(0, place)}
      <mark className="rounded bg-warn-soft text-text outline outline-warn">
        {text.slice(place, place + wanted.length)}
      </mark>
      {text.slice(place + wanted.length)}
    </>
  );
}
