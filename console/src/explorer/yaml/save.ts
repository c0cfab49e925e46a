// Saving what was typed: as a rehearsal, or for good.

import { Problem } from "../../api/problem";
import { apiVersionOf, collectionPath, itemPath, type Kind, kindOf } from "../../kubernetes/kinds";
import type { KubernetesObject } from "../../kubernetes/objects";
import { askJson } from "../../kubernetes/request";
import type { Draft } from "./draft";
import { objectOf } from "./draft";

const dryRun = "?dryRun=All&fieldValidation=Strict";
const strict = "?fieldValidation=Strict";

function refuse(detail: string): never {
  throw new Problem({ status: 0, code: "invalid", title: "It cannot be saved like this", detail });
}

/** What is sent of a draft: the same object, in the version from which it was begun. */
export function sentOf({ text, base }: Draft): KubernetesObject {
  const typed = objectOf(text);
  const { name, namespace, resourceVersion } = base.metadata;
  if (typed.kind !== base.kind || typed.metadata.name !== name || typed.metadata.namespace !== namespace) {
    refuse("Kind, name and namespace cannot be changed. Create another object, and delete this one.");
  }
  return {
    ...typed,
    metadata: { ...typed.metadata, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
  };
}

export function save(
  cluster: string,
  kind: Kind,
  draft: Draft,
  isRehearsal: boolean,
): Promise<KubernetesObject> {
  const body = sentOf(draft);
  const { name, namespace } = draft.base.metadata;
  const path = itemPath(kind, namespace, name) + (isRehearsal ? dryRun : strict);
  return askJson(cluster, path, { method: "PUT", body });
}

/** As it is now in the cluster. */
export function fetchNow(cluster: string, kind: Kind, { base }: Draft): Promise<KubernetesObject> {
  return askJson(cluster, itemPath(kind, base.metadata.namespace, base.metadata.name));
}

export interface Made {
  kind: Kind;
  object: KubernetesObject;
}

/** Makes one object; what names no namespace comes into the given one. */
export async function create(
  cluster: string,
  kinds: readonly Kind[],
  object: KubernetesObject,
  namespace: string,
  isRehearsal: boolean,
): Promise<Made> {
  const kind = kindOf(kinds, object);
  if (kind === undefined) {
    return refuse(`The cluster does not know ${object.kind} of ${object.apiVersion}.`);
  }
  // Another version of the group than the one that is preferred is asked by its own path.
  const version = object.apiVersion.split("/").at(-1) ?? kind.version;
  const asked = object.apiVersion === apiVersionOf(kind) ? kind : { ...kind, version };
  const place = kind.isNamespaced ? (object.metadata.namespace ?? namespace) : undefined;
  const path = collectionPath(asked, place) + (isRehearsal ? dryRun : strict);
  return { kind, object: await askJson(cluster, path, { method: "POST", body: object }) };
}
