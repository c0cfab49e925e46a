// What handlers of the played hub are given, and what they answer.

import type { components } from "../src/api/schema.d.ts";
import type { Account } from "./account.ts";
import type { Backups } from "./backups.ts";
import type { Found } from "./description.ts";
import type { Inventory } from "./inventory.ts";
import type { Objects } from "./objects.ts";
import type { Settings } from "./settings.ts";

/** The state of the played hub, as far as handlers change it. */
export interface World {
  readonly inventory: Inventory;
  readonly objects: Objects;
  readonly backups: Backups;
  readonly account: Account;
  readonly settings: Settings;
  /** Whoever is signed in. */
  user: string | undefined;
  /** Opens a session, as signing in does. */
  open: (user: string) => Reply;
}

/** A request that was taken. */
export interface Asked extends Found {
  query: URLSearchParams;
  headers: Headers;
  body: unknown;
  signal: AbortSignal;
}

/** What a request is answered with. */
export type Reply = Response | { status: number; body?: unknown };

export type Handler = (world: World, asked: Asked) => Reply | Promise<Reply>;

const titles: Record<number, string> = {
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  409: "Conflict",
  412: "Precondition Failed",
  422: "Unprocessable Content",
  429: "Too Many Requests",
};

/** A failure as the hub answers it. */
export function problem(
  status: number,
  code: components["schemas"]["Code"],
  detail: string,
  retryAfter?: number,
  errors?: components["schemas"]["FieldError"][],
): Response {
  const title = titles[status] ?? "Failure";
  const body = {
    status,
    code,
    title,
    detail,
    ...(retryAfter === undefined ? {} : { retry_after: retryAfter }),
    ...(errors === undefined ? {} : { errors }),
  };
  return Response.json(body, { status, headers: { "content-type": "application/problem+json" } });
}
