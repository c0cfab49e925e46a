// Objects as text and back: what is shown, typed, and sent.

import { type Document, isScalar, parseAllDocuments, stringify, visit } from "yaml";
import { Problem } from "../../api/problem";
import { type KubernetesObject, withoutManagedFields } from "../../kubernetes/objects";

/** What was typed and not saved yet. */
export interface Draft {
  text: string;
  /** The object from which it was begun. */
  base: KubernetesObject;
}

/** Texts of objects: those of large ones take long to write. */
const texts = new WeakMap<KubernetesObject, string>();

export function textOf(object: KubernetesObject): string {
  const known = texts.get(object);
  if (known !== undefined) {
    return known;
  }
  const text = stringify(withoutManagedFields(object), { lineWidth: 0, aliasDuplicateObjects: false });
  texts.set(object, text);
  return text;
}

function wrong(detail: string): Problem {
  return new Problem({ status: 0, code: "invalid", title: "This is no object yet", detail });
}

/** All objects of a text with several documents; what is wrong is thrown as a problem that says where. */
export function objectsOf(text: string): KubernetesObject[] {
  // The parser compares each key with each other, which takes seconds where there are thousands.
  const documents = parseAllDocuments(text, { uniqueKeys: false });
  const found: KubernetesObject[] = [];
  for (const document of Array.isArray(documents) ? documents : []) {
    const [fault] = document.errors;
    if (fault !== undefined) {
      throw wrong(fault.message);
    }
    refuseRepeated(document);
    const value: unknown = document.toJS();
    if (value !== null && value !== undefined) {
      found.push(...itemsOf(checked(value)));
    }
  }
  if (found.length === 0) {
    throw wrong("There is nothing in it. Paste or type an object with apiVersion, kind and metadata.name.");
  }
  return found;
}

function refuseRepeated(document: Document): void {
  visit(document, {
    Map(_, map) {
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        const name = isScalar(key) ? key.value : key;
        if (seen.has(name)) {
          throw wrong(`The field ${String(name)} is there twice.`);
        }
        seen.add(name);
      }
    },
  });
}

/** A list is as good as its objects one after the other. */
function itemsOf(object: KubernetesObject): KubernetesObject[] {
  return object.kind === "List" && Array.isArray(object.items) ? object.items.map(checked) : [object];
}

function checked(value: unknown): KubernetesObject {
  const object = value as Partial<KubernetesObject> | null;
  if (typeof object !== "object" || object === null || Array.isArray(object)) {
    throw wrong("A document is not a map of fields.");
  }
  const { apiVersion, kind, metadata } = object;
  if (typeof apiVersion !== "string" || typeof kind !== "string") {
    throw wrong("apiVersion and kind say what it is; one of them is missing.");
  }
  if (kind !== "List" && typeof metadata?.name !== "string") {
    const generated = (metadata as { generateName?: unknown } | undefined)?.generateName;
    if (typeof generated !== "string") {
      throw wrong(`A ${kind} has no metadata.name.`);
    }
  }
  return object as KubernetesObject;
}

/** The one object of a text. */
export function objectOf(text: string): KubernetesObject {
  const [object, more] = objectsOf(text);
  if (object === undefined || more !== undefined) {
    throw wrong("There is more than one document; an object is saved alone.");
  }
  return object;
}
