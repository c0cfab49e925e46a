// How requests reach the hub.

import { afterEach, expect, test, vi } from "vitest";
import { problem } from "../../mock/world.ts";
import { keepCsrf } from "./csrf";
import { answer, hub } from "./hub";
import { Problem } from "./problem";
import { renewal } from "./renewal";

const sent: Request[] = [];

/** The answers of the hub, one after the other; the last one stays. */
function answers(...given: (() => Response)[]): void {
  globalThis.fetch = (async (request: Request) => {
    sent.push(request);
    const next = given.length > 1 ? given.shift() : given[0];
    return next?.() ?? Response.error();
  }) as typeof fetch;
}

const me = () => Response.json({ user: "dana", groups: [], kind: "person" });
const unauthenticated = () => problem(401, "unauthenticated", "sign in again");

afterEach(() => {
  sent.length = 0;
  renewal.settle(false);
  vi.useRealTimers();
});

test("only what changes something carries the header against forgeries", async () => {
  keepCsrf("t0k3n");
  answers(() => Response.json({ id: "acme.one" }));
  await hub.GET("/api/v1/session");
  await hub.POST("/api/v1/clusters/{name}/sleep", { params: { path: { name: "acme.one" } } });
  expect(sent.map((request) => request.headers.get("x-flotilla-csrf"))).toEqual([null, "t0k3n"]);
});

test("a failure is thrown with what the hub said", async () => {
  answers(() => problem(422, "invalid", "name: too long"));
  const failure = await hub.GET("/api/v1/session").catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(Problem);
  expect(failure).toMatchObject({ status: 422, code: "invalid", message: "name: too long" });
});

test("what is no answer of the hub is told as the hub being away", async () => {
  answers(() => new Response("<h1>Bad Gateway</h1>", { status: 502 }));
  await expect(hub.GET("/api/v1/session")).rejects.toMatchObject({ code: "away", status: 502 });
  globalThis.fetch = () => Promise.reject(new TypeError("Failed to fetch"));
  await expect(hub.GET("/api/v1/session")).rejects.toMatchObject({ code: "away", status: 0 });
});

test("too many requests wait as long as the hub says", async () => {
  vi.useFakeTimers();
  answers(
    () => problem(429, "too-many", "slow down", 2),
    () => Response.json([]),
  );
  const call = answer(hub.GET("/api/v1/keys"));
  await vi.advanceTimersByTimeAsync(1900);
  expect(sent).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(200);
  await expect(call).resolves.toEqual([]);
});

test("a long wait is the user's to decide on", async () => {
  answers(() => problem(429, "too-many", "slow down", 60));
  await expect(hub.GET("/api/v1/keys")).rejects.toMatchObject({ retryAfter: 60 });
  expect(sent).toHaveLength(1);
});

test("requests of an ended session wait for one new session, then go on", async () => {
  answers(unauthenticated, unauthenticated, me);
  const body = { name: "ci", days: 1, scope: { readOnly: true } };
  const calls = Promise.all([hub.GET("/api/v1/tenants"), hub.POST("/api/v1/keys", { body })]);
  await vi.waitFor(() => expect([sent.length, renewal.isAsked()]).toEqual([2, true]));
  renewal.settle(true);
  await calls;
  expect(sent).toHaveLength(4);
  expect(await sent[3]?.json()).toEqual(body);
});

test("an answer of the old session that comes late asks for no other one", async () => {
  const late = Promise.withResolvers<Response>();
  globalThis.fetch = (() => late.promise) as typeof fetch;
  const call = hub.GET("/api/v1/tenants");
  void renewal.ask(renewal.count());
  renewal.settle(true);
  answers(me);
  late.resolve(unauthenticated());
  await call;
  expect(renewal.isAsked()).toBe(false);
});

test("whoever does not sign in again gets the failure", async () => {
  answers(unauthenticated);
  const call = hub.GET("/api/v1/tenants").catch((error: unknown) => error);
  await vi.waitFor(() => expect(renewal.isAsked()).toBe(true));
  renewal.settle(false);
  expect(await call).toMatchObject({ code: "unauthenticated" });
});

test("signing in asks for no session", async () => {
  answers(unauthenticated);
  const body = { user: "dana", password: "wrong", carrier: "cookie" } as const;
  await expect(hub.POST("/api/v1/session", { body })).rejects.toMatchObject({ code: "unauthenticated" });
  expect(renewal.isAsked()).toBe(false);
});
