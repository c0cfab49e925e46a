// What the hub's description says of requests and answers, so that the mock takes and gives nothing else.

import { readFileSync } from "node:fs";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";

interface Body {
  content?: Record<string, unknown>;
}

interface Operation {
  requestBody?: Body;
  responses: Record<string, Body>;
}

interface Description {
  paths: Record<string, Record<string, Operation>>;
}

const description = JSON.parse(readFileSync("../generated/openapi.json", "utf8")) as Description;
const ajv = new Ajv2020({ strict: false, validateFormats: false }).addSchema(description, "hub");
const compiled = new Map<string, ValidateFunction>();

/** One operation of the description, and what stands for the variables of its path. */
export interface Found {
  key: string;
  path: string;
  method: string;
  variables: Record<string, string>;
}

const templates = Object.keys(description.paths)
  // What is constant comes before what is variable.
  .sort((one, other) => one.split("{").length - other.split("{").length)
  .map((path) => ({ path, pattern: new RegExp(`^${path.replace(/\{(\w+)\}/g, "(?<$1>[^/]+)")}$`) }));

export function find(method: string, pathname: string): Found | undefined {
  for (const { path, pattern } of templates) {
    const match = pattern.exec(pathname);
    const isThere = description.paths[path]?.[method.toLowerCase()] !== undefined;
    if (match !== null && isThere) {
      const variables = Object.entries(match.groups ?? {}).map(([name, value]) => [
        name,
        decodeURIComponent(value),
      ]);
      return {
        key: `${method} ${path}`,
        path,
        method: method.toLowerCase(),
        variables: Object.fromEntries(variables),
      };
    }
  }
  return undefined;
}

/** What is wrong with a body that was sent, if anything. */
export function faultOfRequest(found: Found, body: unknown): string | undefined {
  const isWanted = description.paths[found.path]?.[found.method]?.requestBody !== undefined;
  return isWanted
    ? fault([found.path, found.method, "requestBody", "content", "application/json", "schema"], body)
    : undefined;
}

/** What is wrong with an answer, if anything: then the mock is, and not the console. */
export function faultOfAnswer(found: Found, status: number, body: unknown): string | undefined {
  const responses = description.paths[found.path]?.[found.method]?.responses ?? {};
  const content = responses[status]?.content;
  return content === undefined
    ? undefined
    : fault(
        [found.path, found.method, "responses", String(status), "content", "application/json", "schema"],
        body,
      );
}

/** What is wrong with something that shall be as the description says by a name. */
export function faultOfSchema(name: string, value: unknown): string | undefined {
  return check(`hub#/components/schemas/${name}`, value);
}

function fault(path: string[], value: unknown): string | undefined {
  const pointer = path
    .map((part) => encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1")))
    .join("/");
  return check(`hub#/paths/${pointer}`, value);
}

function check(reference: string, value: unknown): string | undefined {
  let validate = compiled.get(reference);
  if (validate === undefined) {
    validate = ajv.compile({ $ref: reference });
    compiled.set(reference, validate);
  }
  return validate(value) ? undefined : ajv.errorsText(validate.errors);
}
