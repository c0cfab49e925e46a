// Signing in to the played hub, and letting a program in.

import type { components } from "../../src/api/schema.d.ts";
import { type Handler, problem } from "../world.ts";

type Schemas = components["schemas"];

/** Everybody's password. The user `careful` has a second factor, too. */
const password = "correct horse";
const code = "123456";

const waiting: Schemas["DeviceShown"] = {
  userCode: "BCDF-GHJK",
  address: "192.0.2.7",
  agent: "flotilla/0.1.0 (linux)",
  created: "2026-01-01T12:00:00Z",
  expires: "2026-01-01T12:10:00Z",
};

export const sessionHandlers: Record<string, Handler> = {
  "GET /api/v1/session": (world) => ({
    status: 200,
    body: { user: world.user, displayName: "First user", groups: [], kind: "person" },
  }),
  "POST /api/v1/session": (world, { body }) => {
    const asked = body as Schemas["SignIn"];
    if (asked.password !== password || (asked.code != null && asked.code !== code)) {
      return problem(
        401,
        "unauthenticated",
        "name, password or code are wrong, or the user is disabled; check them",
      );
    }
    if (asked.user === "careful" && asked.code == null) {
      return problem(
        401,
        "second-factor",
        "the user has a second factor; add its six digits, or a recovery code",
      );
    }
    return world.open(asked.user);
  },
  "DELETE /api/v1/session": (world) => {
    world.user = undefined;
    return { status: 204 };
  },
  "GET /api/v1/session/providers": () => ({
    status: 200,
    body: [
      { name: "company", displayName: "Company sign-in", kind: "oidc" },
      { name: "directory", displayName: "Directory", kind: "ldap" },
    ],
  }),
  "GET /api/v1/device/{name}": (_, { variables }) => device(variables.name) ?? { status: 200, body: waiting },
  "POST /api/v1/device/{name}": (_, { variables }) => device(variables.name) ?? { status: 204 },
};

function device(name: string | undefined): Response | undefined {
  return name?.toUpperCase().replace("-", "") === "BCDFGHJK"
    ? undefined
    : problem(404, "not-found", "nothing waits with this code; compare it with what the program shows");
}
