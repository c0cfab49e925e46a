// What is done with objects of the played hub: all kinds are listed, read, made, written anew and deleted alike.

import type { Noun, Wanted } from "../../src/objects/objects.ts";
import type { Stored } from "../objects.ts";
import { type Asked, type Handler, problem, type World } from "../world.ts";

const nouns: readonly Noun[] = ["tenants", "projects", "roles", "grants", "users", "providers", "templates"];

const missing = (noun: string, name: string | undefined) =>
  problem(404, "not-found", `there is no ${noun.slice(0, -1)} \`${name}\`, or you may not see it`);

function list(world: World, noun: string, { query }: Asked) {
  const found = [...world.objects.of(noun).values()].filter(({ name }) =>
    name.includes(query.get("search") ?? ""),
  );
  const begin = Number(query.get("after") ?? 0);
  const end = begin + Number(query.get("limit") ?? 100);
  const next = end < found.length ? { next: String(end) } : {};
  return { status: 200, body: { items: found.slice(begin, end), total: found.length, ...next } };
}

function make(world: World, noun: string, { body }: Asked) {
  const { name, labels, spec } = body as Wanted<Noun>;
  return world.objects.of(noun).has(name)
    ? problem(409, "exists", `there is a ${noun.slice(0, -1)} \`${name}\` already; choose another name`)
    : { status: 201, body: world.objects.write(noun, name, spec, labels) };
}

function write(world: World, noun: string, before: Stored, { headers, body }: Asked) {
  const { labels, spec } = body as Wanted<Noun>;
  return headers.get("if-match") === before.version
    ? { status: 200, body: world.objects.write(noun, before.name, spec, labels) }
    : problem(412, "changed", `the ${noun.slice(0, -1)} was changed since you read it; read it again`);
}

/** Hands an object to what is done with it, if it is there. */
function withOne(
  noun: string,
  act: (world: World, found: Stored, asked: Asked) => ReturnType<Handler>,
): Handler {
  return (world, asked) => {
    const found = world.objects.of(noun).get(asked.variables.name ?? "");
    return found === undefined ? missing(noun, asked.variables.name) : act(world, found, asked);
  };
}

export const objectHandlers: Record<string, Handler> = Object.fromEntries(
  nouns.flatMap((noun): [string, Handler][] => [
    [`GET /api/v1/${noun}`, (world, asked) => list(world, noun, asked)],
    [`POST /api/v1/${noun}`, (world, asked) => make(world, noun, asked)],
    [`GET /api/v1/${noun}/{name}`, withOne(noun, (_, found) => ({ status: 200, body: found }))],
    [`PUT /api/v1/${noun}/{name}`, withOne(noun, (world, found, asked) => write(world, noun, found, asked))],
    [
      `DELETE /api/v1/${noun}/{name}`,
      withOne(noun, (world, found) => {
        world.objects.of(noun).delete(found.name);
        return { status: 204 };
      }),
    ],
  ]),
);
