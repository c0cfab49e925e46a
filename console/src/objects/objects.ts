// The hub's objects: tenants, projects, roles, grants, users, providers, templates. All kinds are listed, read, made,
// written anew and deleted alike.

import { useQuery } from "@tanstack/react-query";
import { answer, hub } from "../api/hub";
import type { IdempotencyKeys } from "../api/idempotency";
import type { components } from "../api/schema";
import { queries } from "../app/queries";

type Schemas = components["schemas"];

export type TemplateParameter = Schemas["TemplateParameter"];
/** The generated type of an object of any shape allows nothing in it. */
export type TemplateVersion = Omit<Schemas["TemplateVersion"], "controlPlane"> & {
  controlPlane?: Record<string, unknown>;
};

/** What objects of a kind shall be, by the name that the API gives the kind. */
export interface Specs {
  tenants: Partial<Schemas["TenantSpec"]>;
  projects: Schemas["ProjectSpec"];
  roles: Schemas["RoleSpec"];
  grants: Schemas["GrantSpec"];
  users: Schemas["UserSpec"];
  providers: Schemas["IdentityProviderSpec"];
  templates: Omit<Schemas["TemplateSpec"], "versions"> & { versions: TemplateVersion[] };
}

export type Noun = keyof Specs;

/** An object as the hub shows it; `version` is for writing over it. */
export interface Shown<N extends Noun> {
  name: string;
  labels: Record<string, string>;
  spec: Specs[N];
  status?: unknown;
  version: string;
  created?: string | null;
}

export interface Wanted<N extends Noun> {
  name: string;
  labels?: Record<string, string>;
  spec: Specs[N];
}

const most = 500;

// Kinds differ in their spec alone: paths and bodies of one stand for those of all.
type AnyBody = Schemas["NewObject"];
const listOf = (noun: Noun) => `/api/v1/${noun}` as "/api/v1/tenants";
const oneOf = (noun: Noun) => `/api/v1/${noun}/{name}` as "/api/v1/tenants/{name}";

async function list<N extends Noun>(noun: N): Promise<Shown<N>[]> {
  const found: Shown<N>[] = [];
  let after: string | null | undefined;
  do {
    const query = { limit: most, ...(after == null ? {} : { after }) };
    const page = await answer(hub.GET(listOf(noun), { params: { query } }));
    found.push(...(page.items as unknown as Shown<N>[]));
    after = page.next;
  } while (after != null);
  return found;
}

export async function read<N extends Noun>(noun: N, name: string): Promise<Shown<N>> {
  const call = hub.GET(oneOf(noun), { params: { path: { name } } });
  return (await answer(call)) as unknown as Shown<N>;
}

/** All of a kind that the user sees. */
export function useAll<N extends Noun>(noun: N) {
  return useQuery({ queryKey: [noun, "all"], queryFn: () => list(noun) });
}

export function useOne<N extends Noun>(noun: N, name: string) {
  return useQuery({ queryKey: [noun, "one", name], queryFn: () => read(noun, name) });
}

/** Answers are kept for whoever asks twice, but not where a secret may be in them. */
const isKept = (noun: Noun) => noun !== "providers";

export async function make<N extends Noun>(
  noun: N,
  wanted: Wanted<N>,
  keys: IdempotencyKeys,
): Promise<Shown<N>> {
  const params = isKept(noun) ? { header: { "Idempotency-Key": keys.of(wanted) } } : {};
  const body = wanted as unknown as AnyBody;
  const made = (await answer(hub.POST(listOf(noun), { params, body }))) as unknown as Shown<N>;
  await changed(noun);
  return made;
}

/** Writes over the object as it was in a version; fails as `changed` if it is another one by now. */
export async function write<N extends Noun>(noun: N, wanted: Wanted<N>, version: string): Promise<Shown<N>> {
  const written = await answer(
    hub.PUT(oneOf(noun), {
      params: { path: { name: wanted.name } },
      headers: { "If-Match": version },
      body: wanted as unknown as AnyBody,
    }),
  );
  await changed(noun);
  return written as unknown as Shown<N>;
}

/** Changes the spec of an object as it is shown. */
export function change<N extends Noun>(noun: N, object: Shown<N>, spec: Partial<Specs[N]>) {
  const { name, labels, version } = object;
  return write(noun, { name, labels, spec: { ...object.spec, ...spec } }, version);
}

export async function remove(noun: Noun, name: string): Promise<void> {
  await hub.DELETE(oneOf(noun), { params: { path: { name } } });
  queries.removeQueries({ queryKey: [noun, "one", name] });
  await changed(noun);
}

/** Members are those of grants: a grant that changes, changes them too. */
async function changed(noun: Noun): Promise<void> {
  await queries.invalidateQueries({ queryKey: [noun] });
  if (noun === "grants") {
    await queries.invalidateQueries({ queryKey: ["members"] });
  }
}

/** Where the page of an object is. */
export function pathTo(noun: Noun, name: string): string {
  return `/${noun}/${encodeURIComponent(name)}`;
}
