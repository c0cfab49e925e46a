// The built console behind the policy that the server gives it, with a played hub, for a real browser.

import { existsSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { MockHub } from "../mock/hub.ts";
import { isOfHub, openShell, pass } from "../mock/node.ts";

const policy = readFileSync("policy.txt", "utf8").trim();
const types: Record<string, string> = { js: "text/javascript", css: "text/css", svg: "image/svg+xml" };

export interface Site {
  url: string;
  stop: () => void;
}

export async function serve(hub: MockHub): Promise<Site> {
  const server = createServer((incoming, outgoing) => {
    if (isOfHub(incoming)) {
      pass(hub, incoming, outgoing).catch(() => outgoing.destroy());
    } else {
      answer(incoming, outgoing);
    }
  });
  server.on("upgrade", openShell);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function answer(incoming: IncomingMessage, outgoing: ServerResponse): void {
  const path = `dist${incoming.url?.split("?")[0]}`;
  if (path.startsWith("dist/assets/") && existsSync(path)) {
    outgoing.setHeader("content-type", types[path.split(".").at(-1) ?? ""] ?? "application/octet-stream");
    outgoing.end(readFileSync(path));
  } else {
    outgoing.setHeader("content-type", "text/html; charset=utf-8");
    outgoing.setHeader("content-security-policy", policy);
    outgoing.end(readFileSync("dist/index.html"));
  }
}
