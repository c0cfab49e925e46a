// Clusters of the played hub: what is done with them happens at once, or as slowly as a person can watch.

import type { components } from "../../src/api/schema.d.ts";
import { type Handler, problem, type World } from "../world.ts";
import { templateFault } from "./templates.ts";

type Schemas = components["schemas"];
type Cluster = Schemas["ClusterRow"];

function missing(id: string | undefined): Response {
  return problem(
    404,
    "not-found",
    `there is no cluster \`${id}\`, or you may not see it; ask its owner for a grant`,
  );
}

/** Changes a cluster and answers with its id. */
function change(world: World, id: string | undefined, what: Partial<Cluster>) {
  return id !== undefined && world.inventory.patch(id, what) !== undefined
    ? { status: 200, body: { id } }
    : missing(id);
}

/** Next times are those of tomorrow, whatever the schedule says. */
function scheduled(sleepSchedule: Schemas["ChangedCluster"]["sleepSchedule"]): Partial<Cluster> {
  const tomorrow = (hour: number) => new Date(Date.now() + (24 + hour) * 3_600_000).toISOString();
  return sleepSchedule == null
    ? { sleepSchedule: null, nextSleep: null, nextWake: null }
    : { sleepSchedule, nextSleep: tomorrow(0), nextWake: tomorrow(11) };
}

/** A move begins, and stays at its first step until somebody calls it off. */
function moved(row: Cluster, to: string): Partial<Cluster> {
  const from = row.dataStore ?? "etcd-a";
  return to === from
    ? { state: "Ready", migration: null }
    : { state: "Migrating", migration: { from, to, phase: "Copying", started: new Date().toISOString() } };
}

export const clusterHandlers: Record<string, Handler> = {
  "GET /api/v1/clusters": (world) => {
    const items = [...world.inventory.rows.values()];
    return { status: 200, body: { items, total: items.length } };
  },
  "GET /api/v1/clusters/watch": (world, { signal }) => world.inventory.stream(signal),
  "GET /api/v1/clusters/{name}": (world, { variables }) => {
    const row = world.inventory.rows.get(variables.name ?? "");
    return row === undefined ? missing(variables.name) : { status: 200, body: row };
  },
  "POST /api/v1/clusters": (world, { body }) => {
    const asked = body as Schemas["NewCluster"];
    const id = `${asked.tenant}.${asked.name}`;
    if (world.inventory.rows.has(id)) {
      return problem(409, "exists", `there is a cluster \`${asked.name}\` already; choose another name`);
    }
    const fault = asked.template == null ? undefined : templateFault(world, asked.template);
    if (fault !== undefined) {
      return fault;
    }
    world.inventory.set({
      id,
      name: asked.name,
      kind: "hosted",
      tenant: asked.tenant,
      state: "Provisioning",
      replicas: asked.replicas ?? 2,
      conditions: [{ type: "Ready", status: "False", reason: "Starting", message: "The API server starts." }],
      labels: {
        ...asked.labels,
        ...(asked.template == null ? {} : { "flotilla.dev/template": asked.template.name }),
      },
      created: new Date().toISOString(),
    });
    return { status: 201, body: { id } };
  },
  "PATCH /api/v1/clusters/{name}": (world, { variables, body }) => {
    const { version, replicas, labels, sleepSchedule, dataStore } = body as Schemas["ChangedCluster"];
    const row = world.inventory.rows.get(variables.name ?? "");
    const merged = Object.entries({ ...row?.labels, ...labels }).filter(
      (pair): pair is [string, string] => pair[1] !== null,
    );
    return change(world, variables.name, {
      ...(version == null ? {} : { version, state: "Upgrading" }),
      ...(replicas == null ? {} : { replicas }),
      ...(dataStore == null || row === undefined ? {} : moved(row, dataStore)),
      ...(sleepSchedule === undefined ? {} : scheduled(sleepSchedule)),
      labels: Object.fromEntries(merged),
    });
  },
  "DELETE /api/v1/clusters/{name}": (world, { variables }) =>
    world.inventory.remove(variables.name ?? "") ? { status: 204 } : missing(variables.name),
  "POST /api/v1/clusters/{name}/sleep": (world, { variables }) =>
    change(world, variables.name, { state: "Sleeping", replicas: 0 }),
  "POST /api/v1/clusters/{name}/wake": (world, { variables }) =>
    change(world, variables.name, { state: "Provisioning", replicas: 2 }),
  "POST /api/v1/clusters/{name}/clone": (world, { variables, body }) => {
    const row = world.inventory.rows.get(variables.name ?? "");
    const { name, backup } = body as Schemas["NewClone"];
    if (row === undefined) {
      return missing(variables.name);
    }
    const id = `${row.tenant}.${name}`;
    world.inventory.set({
      ...row,
      id,
      name,
      state: "Restoring",
      conditions: [
        {
          type: "Restored",
          status: "False",
          reason: "CopyingData",
          message: "The backup is read into the store.",
        },
      ],
      created: new Date().toISOString(),
    });
    return { status: 201, body: { id, restore: `clone-${name}`, backup: backup ?? `clone-of-${row.name}` } };
  },
  "POST /api/v1/clusters/{name}/transfer": (world, { variables, body }) => {
    const row = world.inventory.rows.get(variables.name ?? "");
    const { tenant, name } = body as Schemas["NewTransfer"];
    if (row === undefined) {
      return missing(variables.name);
    }
    const told = {
      type: "Transferred",
      status: "False",
      reason: "Stopping",
      message: "Its pods are being ended.",
    };
    world.inventory.set({ ...row, state: "Transferring", conditions: [told] });
    return { status: 202, body: { id: `${tenant}.${name ?? row.name}`, transfer: `${row.id}-1` } };
  },
  "GET /api/v1/clusters/{name}/members": () => ({
    status: 200,
    body: {
      items: [
        { to: "user admin", role: "platform-admin", at: "platform", grant: "first-user", inherited: true },
        {
          to: "group developers",
          role: "cluster-owner",
          at: "this cluster",
          grant: "developers",
          inherited: false,
        },
      ],
      total: 2,
    },
  }),
  "GET /api/v1/clusters/{name}/kubeconfig": (_, { variables }) =>
    new Response(`apiVersion: v1\nkind: Config\ncurrent-context: ${variables.name}\n`, {
      headers: { "content-type": "application/yaml" },
    }),
};
