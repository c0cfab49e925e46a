// Clusters that are imported into the played hub.

import type { components } from "../../src/api/schema.d.ts";
import { type Handler, problem } from "../world.ts";

type NewImport = components["schemas"]["NewObject6"];

export const importHandlers: Record<string, Handler> = {
  "POST /api/v1/imports": (world, { body }) => {
    const { name, labels, spec } = body as NewImport;
    if (world.inventory.rows.has(name)) {
      return problem(409, "exists", `there is a cluster \`${name}\` already; choose another name`);
    }
    world.inventory.set({
      id: name,
      name: spec.displayName ?? name,
      kind: "imported",
      ...(spec.tenant == null ? {} : { tenant: spec.tenant }),
      state: "Waiting",
      conditions: [],
      labels: labels ?? {},
      created: new Date().toISOString(),
    });
    return { status: 201, body: { name, labels: labels ?? {}, spec, version: "1" } };
  },
  "GET /api/v1/imports/{name}": (world, { variables }) => {
    const row = world.inventory.rows.get(variables.name ?? "");
    return row === undefined
      ? problem(404, "not-found", "there is no such cluster")
      : {
          status: 200,
          body: { name: row.id, labels: row.labels, spec: { tenant: row.tenant ?? null }, version: "1" },
        };
  },
  "PUT /api/v1/imports/{name}": (world, { variables, body }) => {
    const asked = body as NewImport;
    world.inventory.patch(variables.name ?? "", { labels: asked.labels ?? {} });
    return {
      status: 200,
      body: { name: asked.name, labels: asked.labels ?? {}, spec: asked.spec, version: "2" },
    };
  },
  "DELETE /api/v1/imports/{name}": (world, { variables }) => {
    world.inventory.remove(variables.name ?? "");
    return { status: 204 };
  },
  "POST /api/v1/imports/{name}/token": (_, { variables }) => ({
    status: 200,
    body: {
      command: `curl -fsSL --cacert hub.crt https://hub.example.com/import/t0k3n-of-${variables.name}.yaml | kubectl apply -f -`,
      url: `https://hub.example.com/import/t0k3n-of-${variables.name}.yaml`,
      expires: new Date(Date.now() + 86_400_000).toISOString(),
    },
  }),
};
