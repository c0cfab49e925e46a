// A hub that is played, made from the description of the real one: it takes what that takes, and answers as that does.

import { Account } from "./account.ts";
import { Backups } from "./backups.ts";
import { faultOfAnswer, faultOfRequest, find } from "./description.ts";
import { fleet } from "./fleet.ts";
import { handlers } from "./handlers.ts";
import { Inventory } from "./inventory.ts";
import { answer } from "./kubernetes/api.ts";
import { status } from "./kubernetes/call.ts";
import { PlayedCluster } from "./kubernetes/cluster.ts";
import { Objects } from "./objects.ts";
import { Settings } from "./settings.ts";
import { type Asked, problem, type Reply, type World } from "./world.ts";

/** What works without a session. */
const open = new Set([
  "POST /api/v1/session",
  "GET /api/v1/session/providers",
  "GET /api/v1/branding",
  "POST /api/v1/session/passkey/begin",
  "POST /api/v1/session/passkey/finish",
]);

/** What pages send with all that changes something. */
export const csrf = "mock-csrf";

/** A cluster's API below the hub's. */
const inside = /^\/k8s\/clusters\/(?<id>[^/]+)(?<path>\/.*)$/;

export class MockHub implements World {
  readonly inventory: Inventory;
  /** What stands in every cluster. */
  readonly cluster: PlayedCluster;
  readonly objects = new Objects();
  readonly backups = new Backups();
  readonly account = new Account();
  readonly settings = new Settings();
  /** Whoever is signed in. */
  user: string | undefined;
  /** Whether it answers at all. */
  isAway = false;
  /** What the next requests are answered with instead, by method and path of the description. */
  readonly refusals = new Map<string, Response>();
  /** Everything that changed something. */
  readonly changes: { key: string; body: unknown; headers: Headers }[] = [];

  /** `user` is signed in already; nobody is if it is empty. */
  constructor({ clusters = 24, pods = 20, user = "admin", now = Date.now() } = {}) {
    this.inventory = new Inventory(fleet(clusters, now));
    this.cluster = new PlayedCluster({ pods, now });
    this.user = user === "" ? undefined : user;
  }

  readonly fetch = async (request: Request): Promise<Response> => {
    if (this.isAway) {
      throw new TypeError("Failed to fetch");
    }
    const url = new URL(request.url);
    const { id, path } = inside.exec(url.pathname)?.groups ?? {};
    if (id !== undefined && path !== undefined) {
      return this.#pass(id, path, url.searchParams, request);
    }
    const found = find(request.method, url.pathname);
    if (found === undefined) {
      return problem(404, "not-found", `there is no path \`${url.pathname}\``);
    }
    const text = await request.text();
    const body: unknown = text === "" ? undefined : JSON.parse(text);
    const asked: Asked = {
      ...found,
      query: url.searchParams,
      headers: request.headers,
      body,
      signal: request.signal,
    };
    return this.refusal(asked) ?? this.#answer(asked);
  };

  /** To the Kubernetes API of a cluster. */
  async #pass(id: string, path: string, query: URLSearchParams, request: Request): Promise<Response> {
    const { method, headers, signal } = request;
    if (this.user === undefined) {
      return status(401, "Unauthorized", "you are not signed in, or your session has ended; sign in again");
    }
    if (method !== "GET" && headers.get("x-flotilla-csrf") !== csrf) {
      return status(403, "Forbidden", "a page of another site asks");
    }
    if (!this.inventory.rows.has(id)) {
      return status(404, "NotFound", `there is no cluster \`${id}\``);
    }
    const text = await request.text();
    const body: unknown = text === "" ? undefined : JSON.parse(text);
    if (method !== "GET") {
      this.changes.push({ key: `${method} ${path}`, body, headers });
    }
    return answer(this.cluster, { method, path, query, headers, body, signal });
  }

  private refusal(asked: Asked): Response | undefined {
    const refusal = this.refusals.get(asked.key);
    if (refusal !== undefined) {
      this.refusals.delete(asked.key);
      return refusal;
    }
    if (!open.has(asked.key) && this.user === undefined) {
      return problem(
        401,
        "unauthenticated",
        "you are not signed in, or your session has ended; sign in again",
      );
    }
    const isSafe = asked.method === "get";
    if (!isSafe && !open.has(asked.key) && asked.headers.get("x-flotilla-csrf") !== csrf) {
      return problem(403, "denied", "a page of another site asks");
    }
    const fault = faultOfRequest(asked, asked.body);
    return fault === undefined ? undefined : problem(422, "invalid", fault);
  }

  async #answer(asked: Asked): Promise<Response> {
    const handler = handlers[asked.key];
    if (handler === undefined) {
      return problem(503, "unavailable", `the mock does not play ${asked.key}`);
    }
    if (asked.method !== "get") {
      this.changes.push({ key: asked.key, body: asked.body, headers: asked.headers });
    }
    const reply = await handler(this, asked);
    if (reply instanceof Response) {
      return reply;
    }
    const fault = faultOfAnswer(asked, reply.status, reply.body);
    if (fault !== undefined) {
      throw new Error(`the mock answers ${asked.key} with what the description does not say: ${fault}`);
    }
    return reply.body === undefined
      ? new Response(null, { status: reply.status })
      : Response.json(reply.body, { status: reply.status });
  }

  /** Opens a session, as signing in does. */
  open(user: string): Reply {
    this.user = user;
    return { status: 200, body: { user, csrf, expires: new Date(Date.now() + 3_600_000).toISOString() } };
  }
}
