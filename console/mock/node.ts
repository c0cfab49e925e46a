// Passes requests of a server of Node on to the played hub.

import type { IncomingMessage, ServerResponse } from "node:http";
import { type Duplex, Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import { type WebSocket, WebSocketServer } from "ws";
import { csrf, type MockHub } from "./hub.ts";
import { EchoShell } from "./kubernetes/shell.ts";

export function isOfHub(incoming: IncomingMessage): boolean {
  return /^\/(api|k8s)\//.test(incoming.url ?? "");
}

export async function pass(hub: MockHub, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const aborted = new AbortController();
  outgoing.on("close", () => aborted.abort());
  const hasBody = incoming.method !== "GET" && incoming.method !== "HEAD";
  const request = new Request(`http://localhost${incoming.url}`, {
    method: incoming.method ?? "GET",
    headers: incoming.headers as Record<string, string>,
    signal: aborted.signal,
    ...(hasBody ? { body: Readable.toWeb(incoming) as BodyInit, duplex: "half" } : {}),
  });
  // Who is signed in from the start was never told it.
  request.headers.set("x-flotilla-csrf", csrf);
  const response = await hub.fetch(request);
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  if (response.body === null) {
    outgoing.end();
  } else {
    Readable.fromWeb(response.body as ReadableStream).pipe(outgoing);
  }
}

const protocol = "v5.channel.k8s.io";
const shells = new WebSocketServer({
  noServer: true,
  handleProtocols: (offered) => (offered.has(protocol) ? protocol : false),
});

/** Opens a shell in a container of a played cluster. */
export function openShell(incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
  if (/^\/k8s\/clusters\/.*\/exec\?/.test(incoming.url ?? "")) {
    shells.handleUpgrade(incoming, socket, head, (open: WebSocket) => {
      const shell = new EchoShell(
        (message) => open.send(message),
        () => open.close(),
      );
      open.on("message", (message: Buffer) => shell.take(message));
    });
  }
}
