// Members, rights, and what is done with users and providers of the played hub.

import type { components } from "../../src/api/schema.d.ts";
import type { Specs } from "../../src/objects/objects.ts";
import type { Stored } from "../objects.ts";
import { type Handler, problem, type World } from "../world.ts";

type Schemas = components["schemas"];

function heldOf({ name, spec }: Stored): Schemas["Held"] {
  const { user, group, role, scope } = spec as Specs["grants"];
  const [kind = "platform", where] = Object.entries(scope)[0] ?? [];
  return {
    grant: name,
    role,
    to: user == null ? `group ${group}` : `user ${user}`,
    at: kind === "platform" ? "the platform" : `${kind} ${where}`,
  };
}

/** All that holds in a tenant or project: its own, and what holds further up. */
function heldAt(world: World, kind: "tenant" | "project" | "cluster", name: string): Schemas["Held"][] {
  const places = new Set(["the platform", `${kind} ${name}`]);
  const projects = world.objects.of("projects");
  let tenant: string | null | undefined =
    kind === "tenant" ? name : (projects.get(name)?.spec as Specs["projects"] | undefined)?.tenant;
  tenant ??= world.inventory.rows.get(name)?.tenant;
  while (tenant != null) {
    places.add(`tenant ${tenant}`);
    tenant = (world.objects.of("tenants").get(tenant)?.spec as Specs["tenants"] | undefined)?.parent;
  }
  return [...world.objects.of("grants").values()].map(heldOf).filter(({ at }) => places.has(at));
}

const members =
  (kind: "tenant" | "project"): Handler =>
  (world, { variables }) => {
    const name = variables.name ?? "";
    const items = heldAt(world, kind, name).map((held) => ({
      ...held,
      inherited: held.at !== `${kind} ${name}`,
    }));
    return { status: 200, body: { items, total: items.length } };
  };

export const peopleHandlers: Record<string, Handler> = {
  "GET /api/v1/tenants/{name}/members": members("tenant"),
  "GET /api/v1/projects/{name}/members": members("project"),
  "GET /api/v1/access": (world, { query }) => {
    const user = query.get("user") ?? world.user ?? "";
    const kind = (["tenant", "project", "cluster"] as const).find((name) => query.has(name));
    const at = kind === undefined ? [] : heldAt(world, kind, query.get(kind) ?? "");
    const everywhere = [...world.objects.of("grants").values()]
      .map(heldOf)
      .filter((held) => held.at === "the platform");
    const holds = (kind === undefined ? everywhere : at).filter(({ to }) => to === `user ${user}`);
    const strong = holds.find(({ role }) => role !== "read-only" || query.get("verb") === "get");
    const isAsked = query.has("verb");
    return {
      status: 200,
      body: {
        user,
        holds,
        ...(isAsked ? { allowed: strong !== undefined } : {}),
        ...(isAsked && strong !== undefined ? { by: strong } : {}),
      },
    };
  },
  "DELETE /api/v1/users/{name}/factors": () => ({ status: 204 }),
  "DELETE /api/v1/users/{name}/sessions": () => ({ status: 204 }),
  "PUT /api/v1/users/{name}/password": (world, { variables, body }) => {
    const { old, password } = body as Schemas["NewPassword"];
    if (variables.name === world.user && old !== "correct horse") {
      return problem(403, "denied", "the old password is wrong");
    }
    return password.length < 12
      ? problem(422, "invalid", "a password has at least 12 characters")
      : { status: 204 };
  },
  "PUT /api/v1/providers/{name}/secret": () => ({ status: 204 }),
};
