// In what two versions of an object differ, field by field.

export interface Difference {
  /** Such as `quota.clusters`. */
  path: string;
  one: string;
  other: string;
}

/** Fields in which they differ, in their order; what is not there is an empty text. */
export function differences(one: unknown, other: unknown): Difference[] {
  const [first, second] = [flat(one), flat(other)];
  return [...new Set([...first.keys(), ...second.keys()])]
    .map((path) => ({ path, one: first.get(path) ?? "", other: second.get(path) ?? "" }))
    .filter((found) => found.one !== found.other);
}

/** Lists are compared as wholes: whoever adds to one means all of it. */
function flat(value: unknown, path = "", found = new Map<string, string>()): Map<string, string> {
  if (isObject(value)) {
    for (const [name, inner] of Object.entries(value)) {
      flat(inner, path === "" ? name : `${path}.${name}`, found);
    }
  } else if (value !== null && value !== undefined && !(Array.isArray(value) && value.length === 0)) {
    found.set(path, typeof value === "string" ? value : JSON.stringify(value));
  }
  return found;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
