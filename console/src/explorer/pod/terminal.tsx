// A terminal. It is loaded when it is first shown.

import { FitAddon } from "@xterm/addon-fit";
import { Terminal as Screen } from "@xterm/xterm";
import "@xterm/xterm/css/xterm.css";
import { useEffect, useRef } from "react";
import type { Problem } from "../../api/problem";
import { Shell } from "./exec";

interface TerminalProps {
  /** What it is, for whoever does not see it. */
  label: string;
  url: string;
  onEnd: (problem: Problem | undefined) => void;
}

/** Terminals are dark in both themes: programs choose their colours for that. */
const theme = {
  background: "#0d1117",
  foreground: "#e8edf3",
  cursor: "#6cb2ff",
  selectionBackground: "#2f4a6d",
};

export default function Terminal({ label, url, onEnd }: TerminalProps) {
  const parentRef = useRef<HTMLElement>(null);
  const onEndRef = useRef(onEnd);
  onEndRef.current = onEnd;

  useEffect(() => {
    const parent = parentRef.current;
    if (parent === null) {
      return;
    }
    const font = getComputedStyle(parent).fontFamily;
    const screen = new Screen({ theme, fontFamily: font, fontSize: 13, cursorBlink: true, scrollback: 5000 });
    const fit = new FitAddon();
    screen.loadAddon(fit);
    screen.open(parent);
    let isMounted = true;
    const shell = new Shell(url, {
      onOpen: () => {
        shell.resize(screen.cols, screen.rows);
        screen.focus();
      },
      onOutput: (bytes) => screen.write(bytes),
      onEnd: (problem) => isMounted && onEndRef.current(problem),
    });
    screen.onData((text) => shell.send(text));
    screen.onResize(({ cols, rows }) => shell.resize(cols, rows));
    const observer = new ResizeObserver(() => fit.fit());
    observer.observe(parent);
    fit.fit();
    return () => {
      isMounted = false;
      observer.disconnect();
      shell.close();
      screen.dispose();
    };
  }, [url]);

  return (
    <section
      ref={parentRef}
      aria-label={label}
      className="h-[max(20rem,calc(100dvh-20rem))] overflow-hidden rounded-xl border border-line bg-[#0d1117] p-3 font-mono"
    />
  );
}
