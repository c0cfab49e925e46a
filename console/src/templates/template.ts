// What the console knows of templates: which version is taken, and values of their parameters.

import type { Shown, TemplateParameter, TemplateVersion } from "../objects/objects";
import { compare } from "../ui/table/columns";

export type Template = Shown<"templates">;

/** The version that is taken where none is named: the highest that is not deprecated. */
export function newest(versions: readonly TemplateVersion[]): TemplateVersion | undefined {
  return versions
    .filter(({ deprecated }) => deprecated == null)
    .toSorted((one, other) => compare(other.version, one.version))[0];
}

export function versionOf(template: Template, version: string): TemplateVersion | undefined {
  return template.spec.versions.find((each) => each.version === version);
}

/** What a form holds of parameters: texts, and truth values as such. */
export type TypedParameters = Record<string, string | boolean>;

export function defaultsOf(parameters: readonly TemplateParameter[]): TypedParameters {
  return Object.fromEntries(
    parameters.map(({ name, type, default: value }) => {
      const given = value as unknown;
      return [name, type === "boolean" ? given === true : given == null ? "" : String(given)];
    }),
  );
}

/** What is sent: numbers as numbers, and nothing where nothing is said. */
export function valuesOf(
  parameters: readonly TemplateParameter[],
  typed: TypedParameters,
): Record<string, string | number | boolean> {
  const values: Record<string, string | number | boolean> = {};
  for (const { name, type } of parameters) {
    const value = typed[name];
    if (typeof value === "boolean") {
      values[name] = value;
    } else if (value !== undefined && value.trim() !== "") {
      values[name] = type === "integer" && /^-?\d+$/.test(value.trim()) ? Number(value) : value.trim();
    }
  }
  return values;
}

/** What is wrong with a value before the hub is asked; a text for people. */
export function faultOf(parameter: TemplateParameter, typed: string | boolean): string | undefined {
  if (typeof typed === "boolean") {
    return undefined;
  }
  const text = typed.trim();
  if (text === "") {
    return parameter.required === true ? "Say what it shall be." : undefined;
  }
  return parameter.type === "integer" ? numberFault(parameter, text) : textFault(parameter, text);
}

/** Whether the hub would take it, as far as that can be said before. */
export function isComplete(parameters: readonly TemplateParameter[], typed: TypedParameters): boolean {
  return parameters.every((parameter) => faultOf(parameter, typed[parameter.name] ?? "") === undefined);
}

function numberFault({ minimum, maximum }: TemplateParameter, text: string): string | undefined {
  if (!/^-?\d+$/.test(text)) {
    return "A whole number.";
  }
  if (minimum != null && Number(text) < minimum) {
    return `At least ${minimum}.`;
  }
  return maximum != null && Number(text) > maximum ? `At most ${maximum}.` : undefined;
}

function textFault({ minLength, maxLength }: TemplateParameter, text: string): string | undefined {
  if (minLength != null && text.length < minLength) {
    return `At least ${minLength} characters.`;
  }
  return maxLength != null && text.length > maxLength ? `At most ${maxLength} characters.` : undefined;
}

/** What is allowed, for people, such as `1 to 3`. */
export function limitsText(parameter: TemplateParameter): string {
  const { minimum, maximum, minLength, maxLength, pattern } = parameter;
  const range = (least: number | null | undefined, greatest: number | null | undefined, of: string) =>
    least == null && greatest == null
      ? undefined
      : greatest == null
        ? `at least ${least}${of}`
        : least == null
          ? `at most ${greatest}${of}`
          : `${least} to ${greatest}${of}`;
  return [
    range(minimum, maximum, ""),
    range(minLength, maxLength, " characters"),
    pattern == null ? undefined : `as ${pattern}`,
  ]
    .filter(Boolean)
    .join(", ");
}
