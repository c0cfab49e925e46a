// Settings of the played hub.

import type { components } from "../src/api/schema.d.ts";

type Schemas = components["schemas"];

export class Settings {
  spec: Schemas["HubSettingsSpec"] = { branding: {}, signIn: {} };
  version = "none";

  /** Writes them anew, as whoever is faster does. */
  write(spec: Partial<Schemas["HubSettingsSpec"]>): void {
    this.spec = { branding: {}, signIn: {}, ...spec };
    this.version = String(Number(this.version === "none" ? 0 : this.version) + 1);
  }

  shown(): Schemas["SettingsShown"] {
    return {
      spec: this.spec,
      defaults: { sessionHours: 12 },
      limits: {
        requestsPerSecond: 100,
        requestsAtOnce: 200,
        streamsAtOnce: 2000,
        strangersPerSecond: 0,
        connections: 10_000,
        auditDays: 90,
      },
      version: this.version,
    };
  }
}
