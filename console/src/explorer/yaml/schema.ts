// Fields of a kind, from the schemas that its cluster publishes (OpenAPI 3).

import type { Kind } from "../../kubernetes/kinds";
import { askJson } from "../../kubernetes/request";
import type { OfferedField } from "../../ui/editor/completion";

interface Schema {
  type?: string;
  description?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  additionalProperties?: Schema | boolean;
  allOf?: Schema[];
  $ref?: string;
  "x-kubernetes-group-version-kind"?: { group: string; version: string; kind: string }[];
}

export interface Schemas {
  root: Schema | undefined;
  all: Record<string, Schema>;
}

export async function fetchSchemas(cluster: string, kind: Kind, signal: AbortSignal): Promise<Schemas> {
  const { group, version } = kind;
  const name = group === "" ? `api/${version}` : `apis/${group}/${version}`;
  type Index = { paths: Record<string, { serverRelativeURL: string } | undefined> };
  const { paths } = await askJson<Index>(cluster, "/openapi/v3", { signal });
  const url = paths[name]?.serverRelativeURL;
  if (url === undefined) {
    return { root: undefined, all: {} };
  }
  type Document = { components?: { schemas?: Record<string, Schema> } };
  const { components } = await askJson<Document>(cluster, url, { signal });
  const all = components?.schemas ?? {};
  const root = Object.values(all).find((schema) =>
    schema["x-kubernetes-group-version-kind"]?.some(
      (found) => found.group === group && found.version === version && found.kind === kind.kind,
    ),
  );
  return { root, all };
}

/** References are short chains; a schema that refers to itself ends here. */
const deepest = 8;

function resolved(schema: Schema | undefined, all: Schemas["all"], depth = 0): Schema | undefined {
  const reference = schema?.$ref ?? (schema?.allOf?.length === 1 ? schema.allOf[0]?.$ref : undefined);
  if (reference === undefined || depth > deepest) {
    return schema;
  }
  return resolved(all[reference.split("/").at(-1) ?? ""], all, depth + 1);
}

/** Fields below a path; those of entries where there is a list or a map. */
export function fieldsAt({ root, all }: Schemas, path: readonly string[]): OfferedField[] {
  let schema = inside(resolved(root, all), all);
  for (const name of path) {
    const next = schema?.properties?.[name] ?? more(schema);
    schema = inside(resolved(next, all), all);
  }
  return Object.entries(schema?.properties ?? {}).map(([name, field]) => ({
    name,
    type: typeOf(field, all),
    description: field.description ?? resolved(field, all)?.description ?? "",
  }));
}

function more(schema: Schema | undefined): Schema | undefined {
  return typeof schema?.additionalProperties === "object" ? schema.additionalProperties : undefined;
}

/** What the entries of a list are; else what it is itself. */
function inside(schema: Schema | undefined, all: Schemas["all"]): Schema | undefined {
  return schema?.items === undefined ? schema : resolved(schema.items, all);
}

function typeOf(field: Schema, all: Schemas["all"]): string {
  return resolved(field, all)?.type ?? "object";
}
