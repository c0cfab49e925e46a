// Lists and watches of a played cluster: as tables or objects, in pages, narrowed by labels and fields.

import { at, type KubernetesObject } from "../../src/kubernetes/objects.ts";
import { type Called, status } from "./call.ts";
import type { PlayedCluster } from "./cluster.ts";
import { cellsOf, columnsOf, type PlayedKind } from "./kinds.ts";

function narrowed({ query }: Called): (object: KubernetesObject) => boolean {
  const labels = terms(query.get("labelSelector"));
  const fields = terms(query.get("fieldSelector"));
  return (object) =>
    labels.every(([name, value]) => object.metadata.labels?.[name] === value) &&
    fields.every(([path, value]) => at(object, ...path.split(".")) === value);
}

function terms(text: string | null): [string, string][] {
  return (text ?? "")
    .split(",")
    .filter(Boolean)
    .map((term) => term.split("=") as [string, string]);
}

const isTable = ({ headers }: Called) => headers.get("accept")?.includes("as=Table") === true;

export function listed(
  cluster: PlayedCluster,
  kind: PlayedKind,
  namespace: string | undefined,
  called: Called,
): Response {
  if (called.query.get("labelSelector")?.includes("!!") === true) {
    return status(400, "BadRequest", "unable to parse requirement: found '!', expected: identifier");
  }
  const found = cluster.all(kind, namespace).filter(narrowed(called));
  const from = Number(called.query.get("continue") ?? 0);
  const limit = Number(called.query.get("limit") ?? found.length);
  const page = found.slice(from, from + limit);
  const left = found.length - from - page.length;
  const metadata = {
    resourceVersion: cluster.version,
    ...(left > 0 ? { continue: String(from + limit), remainingItemCount: left } : {}),
  };
  cluster.isForgetful = false;
  return Response.json(
    isTable(called)
      ? { ...table(kind, page), metadata, columnDefinitions: columnsOf(kind) }
      : { kind: `${kind.kind}List`, apiVersion: "v1", metadata, items: page },
  );
}

function table(kind: PlayedKind, objects: KubernetesObject[]) {
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    rows: objects.map((object) => ({ cells: cellsOf(kind, object), object: { metadata: object.metadata } })),
  };
}

export function watched(
  cluster: PlayedCluster,
  kind: PlayedKind,
  namespace: string | undefined,
  called: Called,
): Response {
  if (cluster.isForgetful) {
    return status(410, "Expired", "too old resource version");
  }
  const isWanted = narrowed(called);
  return cluster.watch((type, object) => {
    const isHere =
      object.kind === kind.kind &&
      (namespace === undefined || object.metadata.namespace === namespace) &&
      isWanted(object);
    return isHere ? { type, object: isTable(called) ? table(kind, [object]) : object } : undefined;
  }, called.signal);
}
