// The clusters of the played hub, and the stream of what changes of them.

import type { components } from "../src/api/schema.d.ts";

type Cluster = components["schemas"]["ClusterRow"];
type Listener = (event: string, data: string) => void;

export class Inventory {
  readonly rows: Map<string, Cluster>;
  readonly #listeners = new Set<Listener>();
  readonly #ends = new Set<() => void>();

  constructor(rows: Cluster[]) {
    this.rows = new Map(rows.map((row) => [row.id, row]));
  }

  set(row: Cluster): void {
    this.rows.set(row.id, row);
    this.#tell("cluster", JSON.stringify(row));
  }

  /** Changes a cluster, if it is there. */
  patch(id: string, change: Partial<Cluster>): Cluster | undefined {
    const row = this.rows.get(id);
    if (row !== undefined) {
      this.set({ ...row, ...change });
    }
    return row;
  }

  remove(id: string): boolean {
    const isThere = this.rows.delete(id);
    this.#tell("gone", id);
    return isThere;
  }

  /** Loses changes, as a hub does that is too slow for them. */
  reset(): void {
    this.#tell("reset", "{}");
  }

  /** Ends all streams, as a hub does that stops. */
  cut(): void {
    for (const end of this.#ends) {
      end();
    }
  }

  /** Server-sent events: all clusters, then what changes. */
  stream(signal: AbortSignal): Response {
    const encoder = new TextEncoder();
    const [listeners, ends] = [this.#listeners, this.#ends];
    const first = [...this.rows.values()].map((row) => event("cluster", JSON.stringify(row)));
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(encoder.encode([...first, event("synced", "{}")].join("")));
        const listener: Listener = (name, data) => controller.enqueue(encoder.encode(event(name, data)));
        listeners.add(listener);
        const end = () => {
          if (listeners.delete(listener)) {
            controller.close();
          }
          ends.delete(end);
        };
        ends.add(end);
        signal.addEventListener("abort", end);
      },
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  }

  #tell(name: string, data: string): void {
    for (const listener of this.#listeners) {
      listener(name, data);
    }
  }
}

function event(name: string, data: string): string {
  return `event: ${name}\ndata: ${data}\n\n`;
}
