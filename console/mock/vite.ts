// Lets the development server play a hub, so that the console can be worked on without one.

import type { Plugin } from "vite";
import { MockHub } from "./hub.ts";
import { isOfHub, openShell, pass } from "./node.ts";

/** So many clusters, and pods in each; one may ask for more. */
const clusters = Number(process.env.FLOTILLA_MOCK_CLUSTERS ?? 48);
const pods = Number(process.env.FLOTILLA_MOCK_PODS ?? 200);

export function mockHub(): Plugin {
  const hub = new MockHub({ clusters, pods, user: process.env.FLOTILLA_MOCK_USER ?? "admin" });
  return {
    name: "mock-hub",
    configureServer(server) {
      server.httpServer?.on("upgrade", openShell);
      server.middlewares.use((incoming, outgoing, next) => {
        if (isOfHub(incoming)) {
          pass(hub, incoming, outgoing).catch(next);
        } else {
          next();
        }
      });
    },
  };
}
