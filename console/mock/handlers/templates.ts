// What would be made from a template of the played hub, and what is wrong with its parameters.

import type { components } from "../../src/api/schema.d.ts";
import type { Specs, TemplateVersion } from "../../src/objects/objects.ts";
import { type Handler, problem, type World } from "../world.ts";

type Schemas = components["schemas"];

/** What is wrong with parameters, as the hub says it: only what the console does not see by itself. */
export function templateFault(world: World, chosen: Schemas["ChosenTemplate"]): Response | undefined {
  const spec = world.objects.of("templates").get(chosen.name)?.spec as Specs["templates"] | undefined;
  const version = spec?.versions.find((each) => each.version === chosen.version) ?? spec?.versions.at(-1);
  const given = (chosen.parameters ?? {}) as Record<string, unknown>;
  const errors = (version?.parameters ?? []).flatMap(({ name, pattern, required }) => {
    const value = given[name];
    if (value === undefined) {
      return required === true ? [{ field: `parameters.${name}`, detail: "must be said" }] : [];
    }
    const isRight = pattern == null || new RegExp(`^(${pattern})$`).test(String(value));
    return isRight ? [] : [{ field: `parameters.${name}`, detail: `\`${value}\` must match ${pattern}` }];
  });
  const detail = errors.map((error) => `${error.field}: ${error.detail}`).join("; ");
  return errors.length === 0 ? undefined : problem(422, "invalid", detail, undefined, errors);
}

function fill(value: unknown, parameters: Record<string, unknown>): unknown {
  if (typeof value === "string") {
    const whole = /^\$\{(\w+)\}$/.exec(value)?.[1];
    return whole === undefined
      ? value.replace(/\$\{(\w+)\}/g, (_, name: string) => String(parameters[name] ?? ""))
      : parameters[whole];
  }
  if (Array.isArray(value)) {
    return value.map((item) => fill(item, parameters));
  }
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, fill(inner, parameters)]));
  }
  return value;
}

const newest = (versions: readonly TemplateVersion[]) =>
  versions.findLast(({ deprecated }) => deprecated == null) ?? versions.at(-1);

export const templateHandlers: Record<string, Handler> = {
  "POST /api/v1/templates/{name}/render": (world, { variables, body }) => {
    const { name, version: wanted, parameters } = body as Schemas["Trial"];
    const template = variables.name ?? "";
    const spec = world.objects.of("templates").get(template)?.spec as Specs["templates"] | undefined;
    const version = spec?.versions.find((each) => each.version === wanted) ?? newest(spec?.versions ?? []);
    const fault = templateFault(world, {
      name: template,
      version: version?.version ?? null,
      parameters: parameters ?? {},
    });
    if (spec === undefined || version === undefined || fault !== undefined) {
      return fault ?? problem(404, "not-found", `there is no template \`${template}\``);
    }
    return {
      status: 200,
      body: {
        version: version.version,
        ...(version.deprecated == null ? {} : { deprecated: version.deprecated }),
        object: {
          apiVersion: "kamaji.clastix.io/v1alpha1",
          kind: "TenantControlPlane",
          metadata: { name: name ?? template, labels: fill(version.labels ?? {}, parameters ?? {}) },
          spec: fill(version.controlPlane ?? {}, parameters ?? {}),
        },
      },
    };
  },
};
