// Server-sent events, read from an answer of the hub.

import { EventSourceParserStream } from "eventsource-parser/stream";
import { send } from "../api/transport";

export interface ServerEvent {
  name: string;
  data: string;
}

/** The hub says something at least three times in this time, in milliseconds; else the connection is dead. */
const silence = 50_000;

/** Events of a stream until it ends. Failures are thrown as problems. */
export async function* events(path: string, signal: AbortSignal): AsyncGenerator<ServerEvent> {
  const watch = new AbortController();
  const stop = () => watch.abort();
  signal.addEventListener("abort", stop);
  let timer = setTimeout(stop, silence);
  try {
    const request = new Request(new URL(path, globalThis.location.origin), {
      headers: { accept: "text/event-stream" },
      signal: watch.signal,
    });
    const { body } = await send(request);
    if (body === null) {
      return;
    }
    const heard = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform(chunk, controller) {
        clearTimeout(timer);
        timer = setTimeout(stop, silence);
        controller.enqueue(chunk);
      },
    });
    const parsed = body
      .pipeThrough(heard)
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new EventSourceParserStream());
    for await (const { event, data } of parsed) {
      yield { name: event ?? "message", data };
    }
  } catch (error) {
    const isSilent = watch.signal.aborted && !signal.aborted;
    throw isSilent ? new TypeError("the hub says nothing any more") : error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
    watch.abort();
  }
}
