// Objects of the played hub: tenants, projects, roles, grants, users, providers, templates.

import type { Noun, Specs } from "../src/objects/objects.ts";
import { grants, projects, providers, roles, users } from "./seeds/people.ts";
import { templates } from "./seeds/templates.ts";
import { tenants } from "./seeds/tenants.ts";

export interface Stored {
  name: string;
  labels: Record<string, string>;
  spec: object;
  status?: object;
  created: string;
  version: string;
}

export type Seed<N extends Noun> = Record<string, { spec: Specs[N]; status?: object }>;

const seeds: { [N in Noun]: Seed<N> } = { tenants, projects, roles, grants, users, providers, templates };

/** When all of it was made. */
const created = "2026-01-12T09:30:00Z";

export class Objects {
  readonly #kinds = new Map<string, Map<string, Stored>>();

  constructor() {
    for (const [noun, seed] of Object.entries(seeds)) {
      const objects = Object.entries(seed).map(
        ([name, { spec, status }]) =>
          [
            name,
            { name, labels: {}, spec, ...(status === undefined ? {} : { status }), created, version: "1" },
          ] as const,
      );
      this.#kinds.set(noun, new Map(objects));
    }
  }

  of(noun: string): Map<string, Stored> {
    return this.#kinds.get(noun) ?? new Map();
  }

  /** Writes an object anew, as whoever is faster does. */
  write(noun: string, name: string, spec: object, labels: Record<string, string> = {}): Stored {
    const before = this.of(noun).get(name);
    const version = String(Number(before?.version ?? 0) + 1);
    const written = {
      ...(before ?? { created: new Date().toISOString() }),
      name,
      labels,
      spec,
      version,
    };
    this.of(noun).set(name, written);
    return written;
  }
}
