// What is one's own at the played hub: factors, passkeys, sessions, keys, identities at providers.

import type { components } from "../../src/api/schema.d.ts";
import { type Handler, problem } from "../world.ts";

type Schemas = components["schemas"];

const hour = 3_600_000;
const ago = (hours: number) => new Date(Date.now() - hours * hour).toISOString();
const recoveryCodes = Array.from(
  { length: 10 },
  (_, code) => `abcd-efgh-ijkl-mn${String(code).padStart(2, "0")}`,
);

/** Whoever changes how they sign in shows their password, or a code. */
function proven(body: unknown): Response | undefined {
  const { password, code } = body as Schemas["Proof"];
  return password === "correct horse" || code === "123456"
    ? undefined
    : problem(403, "denied", "the password or the code is wrong");
}

const proved =
  (answer: (world: Parameters<Handler>[0]) => ReturnType<Handler>): Handler =>
  (world, { body }) =>
    proven(body) ?? answer(world);

export const accountHandlers: Record<string, Handler> = {
  "GET /api/v1/me/factors": ({ account }) => ({
    status: 200,
    body: { totp: account.hasTotp, recoveryCodes: account.hasTotp ? 10 : 0, passkeys: 1 },
  }),
  "POST /api/v1/me/totp/begin": proved(() => ({
    status: 200,
    body: {
      secret: "JBSWY3DPEHPK3PXP",
      uri: "otpauth://totp/Flotilla:admin?secret=JBSWY3DPEHPK3PXP&issuer=Flotilla",
      expires: ago(-0.2),
    },
  })),
  "POST /api/v1/me/totp/confirm": ({ account }, { body }) => {
    if ((body as Schemas["Confirm"]).code !== "123456") {
      return problem(422, "invalid", "the code is wrong; see whether the clock of your device is right");
    }
    account.hasTotp = true;
    return { status: 200, body: { recoveryCodes } };
  },
  "POST /api/v1/me/totp/disable": proved(({ account }) => {
    account.hasTotp = false;
    return { status: 204 };
  }),
  "POST /api/v1/me/recovery-codes": proved(() => ({ status: 200, body: { recoveryCodes } })),
  "GET /api/v1/me/passkeys": () => ({
    status: 200,
    body: [{ id: "cGFzc2tleQ", name: "Work laptop", created: ago(900), lastUsed: ago(3) }],
  }),
  "DELETE /api/v1/me/passkeys/{name}": () => ({ status: 204 }),
  "GET /api/v1/sessions": () => ({
    status: 200,
    body: [
      session("1", "Firefox on Linux", "192.0.2.7", 2, true),
      session("2", "flotilla/0.1.0 (linux)", "198.51.100.20", 30, false),
    ],
  }),
  "DELETE /api/v1/sessions": () => ({ status: 204 }),
  "DELETE /api/v1/sessions/{name}": () => ({ status: 204 }),
  "GET /api/v1/keys": ({ account }) => ({ status: 200, body: account.keys }),
  "POST /api/v1/keys": ({ account }, { body }) => {
    const { name, days, scope } = body as Schemas["MakeKey"];
    const id = `key-${account.keys.length + 1}`;
    const expires = ago(-24 * days);
    account.keys.push({ id, name, created: ago(0), expires, scope });
    return { status: 201, body: { id, expires, key: "flk_0nly-sh0wn-0nce" } };
  },
  "DELETE /api/v1/keys/{name}": ({ account }, { variables }) => {
    account.keys = account.keys.filter(({ id }) => id !== variables.name);
    return { status: 204 };
  },
  "GET /api/v1/session/links": () => ({
    status: 200,
    body: [{ provider: "company", subject: "248289761001", created: ago(500), lastSignIn: ago(20) }],
  }),
  "POST /api/v1/session/links": () => ({ status: 200, body: { location: "/account" } }),
  "DELETE /api/v1/session/links": () => ({ status: 204 }),
};

function session(id: string, agent: string, address: string, hours: number, current: boolean) {
  return {
    id,
    agent,
    address,
    created: ago(hours),
    lastUsed: ago(0.1),
    expires: ago(-8),
    provider: "",
    current,
  };
}
