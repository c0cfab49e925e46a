// What is done with backups in the played hub. A list is answered first, and goes on a step after.

import type { components } from "../../src/api/schema.d.ts";
import { type Asked, type Handler, problem, type Reply, type World } from "../world.ts";

type Schemas = components["schemas"];

/** Hands the id of a hosted cluster on, if it is there. */
function withCluster(act: (world: World, id: string, asked: Asked) => Reply): Handler {
  return (world, asked) => {
    const id = asked.variables.name ?? "";
    return world.inventory.rows.has(id)
      ? act(world, id, asked)
      : problem(404, "not-found", `there is no cluster \`${id}\`, or you may not see it`);
  };
}

function listed<T>(items: readonly T[]) {
  return { items, total: items.length };
}

export const backupHandlers: Record<string, Handler> = {
  "GET /api/v1/clusters/{name}/backups": withCluster((world, id) => {
    const { backups, schedule } = world.backups.of(id);
    const target = (schedule ?? backups[0])?.target;
    const kept = target === undefined ? {} : { kept: { target, encryption: {} } };
    return { status: 200, body: { ...listed(backups), ...kept } };
  }),
  "POST /api/v1/clusters/{name}/backups": withCluster((world, id, { body }) => {
    const asked = body as Schemas["NewBackup"];
    const isThere = world.backups.of(id).backups.some(({ name }) => name === asked.name);
    return isThere
      ? problem(409, "exists", `tenantbackups "${asked.name}" already exists; choose another name`)
      : { status: 201, body: { name: world.backups.take(id, asked) } };
  }),
  "DELETE /api/v1/clusters/{name}/backups/{backup}": withCluster((world, id, { variables }) => {
    const known = world.backups.of(id);
    known.backups = known.backups.filter(({ name }) => name !== variables.backup);
    return { status: 204 };
  }),
  "GET /api/v1/clusters/{name}/restores": withCluster((world, id) => {
    const { restores } = world.backups.of(id);
    world.backups.advance(id);
    return { status: 200, body: listed(restores) };
  }),
  "POST /api/v1/clusters/{name}/restores": withCluster((world, id, { body }) => {
    const { backup } = body as Schemas["NewRestore"];
    return { status: 201, body: { name: world.backups.restore(id, backup) } };
  }),
  "DELETE /api/v1/clusters/{name}/restores/{restore}": withCluster((world, id, { variables }) => {
    const known = world.backups.of(id);
    const begun = known.restores.find(
      ({ name, reason }) => name === variables.restore && reason === "Restoring",
    );
    if (begun !== undefined) {
      return problem(409, "in-progress", `restore \`${begun.name}\` may have begun to replace the contents`);
    }
    known.restores = known.restores.filter(({ name }) => name !== variables.restore);
    return { status: 204 };
  }),
  "GET /api/v1/clusters/{name}/backup-schedule": withCluster((world, id) => ({
    status: 200,
    body: { schedule: world.backups.of(id).schedule },
  })),
  "PUT /api/v1/clusters/{name}/backup-schedule": withCluster((world, id, { body }) => {
    const asked = body as Schemas["WantedBackupSchedule"];
    const known = world.backups.of(id);
    const target = asked.target ?? known.backups[0]?.target ?? {};
    known.schedule = {
      name: id.split(".")[1] ?? id,
      schedule: asked.schedule,
      ...(asked.timeZone == null ? {} : { timeZone: asked.timeZone }),
      suspend: asked.suspend ?? false,
      retention: asked.retention ?? {},
      target,
      encryption: {},
      ready: null,
      message: "",
    };
    return { status: 200, body: { schedule: known.schedule } };
  }),
  "DELETE /api/v1/clusters/{name}/backup-schedule": withCluster((world, id) => {
    world.backups.of(id).schedule = null;
    return { status: 204 };
  }),
};
