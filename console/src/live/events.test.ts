// Streams of events: comments keep them alive, silence ends them.

import { afterEach, expect, test, vi } from "vitest";
import { Problem } from "../api/problem";
import { events } from "./events";

afterEach(() => {
  vi.useRealTimers();
});

/** A stream that says what it is given, when it is given it. */
function stream() {
  const { readable, writable } = new TransformStream<Uint8Array<ArrayBuffer>>();
  const writer = writable.getWriter();
  globalThis.fetch = (async ({ signal }: Request) => {
    signal.addEventListener("abort", () => void writer.abort(signal.reason).catch(() => undefined));
    return new Response(readable);
  }) as typeof fetch;
  return (text: string) => void writer.write(new TextEncoder().encode(text)).catch(() => undefined);
}

async function heard(signal: AbortSignal): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of events("/api/v1/clusters/watch", signal)) {
    names.push(name);
  }
  return names;
}

test("a comment keeps a quiet stream, silence ends it as a hub that is away", async () => {
  vi.useFakeTimers();
  const say = stream();
  const failure = heard(new AbortController().signal).catch((error: unknown) => Problem.from(error));
  let isOver = false;
  void failure.then(() => {
    isOver = true;
  });
  for (let quarter = 0; quarter < 8; quarter += 1) {
    say(":\n\n");
    await vi.advanceTimersByTimeAsync(15_000);
  }
  expect(isOver).toBe(false);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await failure).toMatchObject({ code: "away" });
});

test("events come whole, however they are cut", async () => {
  const say = stream();
  const watch = new AbortController();
  const found = events("/api/v1/clusters/watch", watch.signal);
  say("event: clu");
  say("ster\ndata: {}\n\nevent: gone\ndata: a\n\n");
  expect((await found.next()).value).toEqual({ name: "cluster", data: "{}" });
  expect((await found.next()).value).toEqual({ name: "gone", data: "a" });
  await found.return(undefined);
});
