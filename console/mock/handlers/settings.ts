// Settings of the played hub, its name for strangers, and the versions that clusters may have.

import type { components } from "../../src/api/schema.d.ts";
import type { Specs } from "../../src/objects/objects.ts";
import { type Handler, problem, type World } from "../world.ts";

type Schemas = components["schemas"];

/** Minor versions that can be run, the newest first. */
const minors = [36, 35, 34, 33, 32, 31, 30];

/** What a tenant and those above it allow, each in a list of its own. */
function allowedTo(world: World, tenant: string | null): string[][] {
  const found: string[][] = [];
  let name: string | null | undefined = tenant;
  while (name != null) {
    const spec = world.objects.of("tenants").get(name)?.spec as Specs["tenants"] | undefined;
    const versions = spec?.quota?.versions ?? [];
    if (versions.length > 0) {
      found.push(versions);
    }
    name = spec?.parent;
  }
  return found;
}

export const settingsHandlers: Record<string, Handler> = {
  "GET /api/v1/branding": ({ settings }) => ({ status: 200, body: settings.spec.branding ?? {} }),
  "GET /api/v1/settings": ({ settings }) => ({ status: 200, body: settings.shown() }),
  "PUT /api/v1/settings": ({ settings }, { headers, body }) => {
    if (headers.get("if-match") !== settings.version) {
      return problem(412, "changed", "it was changed meanwhile; read it again and repeat your change");
    }
    settings.write((body as Schemas["NewSettings"]).spec);
    return { status: 200, body: settings.shown() };
  },
  "GET /api/v1/versions": (world, { query }) => {
    const allowed = allowedTo(world, query.get("tenant"));
    const isAllowed = (version: string) =>
      allowed.every((list) => list.some((one) => version === one || version.startsWith(`${one}.`)));
    const rows = [...world.inventory.rows.values()].filter(({ kind }) => kind === "hosted");
    const known = [...new Set(rows.flatMap(({ version }) => (version == null ? [] : [version])))];
    const items = minors
      .map((number) => ({
        minor: `v1.${number}`,
        versions: known
          .filter((version) => version.startsWith(`v1.${number}.`) && isAllowed(version))
          .sort()
          .reverse(),
      }))
      .filter(({ minor, versions }) => isAllowed(minor) || versions.length > 0);
    return { status: 200, body: { items } };
  },
};
