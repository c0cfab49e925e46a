// What a played cluster answers, by method and path, as an API server does.

import { type KubernetesObject, listAt } from "../../src/kubernetes/objects.ts";
import { type Called, status } from "./call.ts";
import { located, type PlayedCluster } from "./cluster.ts";
import { discovery } from "./kinds.ts";
import { listed, watched } from "./lists.ts";
import { logs } from "./logs.ts";
import { schemas } from "./schemas.ts";

export function answer(cluster: PlayedCluster, called: Called): Response {
  const refusal = cluster.refusal?.(called.method, called.path);
  if (refusal !== undefined) {
    return refusal;
  }
  if (called.path === "/api" || called.path === "/apis") {
    return Response.json(discovery(called.path === "/api"));
  }
  if (called.path.startsWith("/openapi/v3")) {
    return schemas(called.path);
  }
  const place = located(called.path);
  if (place === undefined) {
    return status(404, "NotFound", "the server could not find the requested resource");
  }
  if (place.name === undefined) {
    return collection(cluster, called, place);
  }
  const object = cluster.find(place.kind, place.namespace, place.name);
  if (object === undefined) {
    return status(404, "NotFound", `${place.kind.plural} "${place.name}" not found`);
  }
  return place.sub === undefined ? item(cluster, called, object) : inside(cluster, called, object, place.sub);
}

type Place = NonNullable<ReturnType<typeof located>>;

function collection(cluster: PlayedCluster, called: Called, { kind, namespace }: Place): Response {
  if (called.method === "POST") {
    const object = called.body as KubernetesObject;
    if (cluster.find(kind, namespace, object.metadata.name) !== undefined) {
      return status(409, "AlreadyExists", `${kind.plural} "${object.metadata.name}" already exists`);
    }
    const made = {
      ...object,
      metadata: { ...object.metadata, ...(namespace === undefined ? {} : { namespace }) },
    };
    return Response.json(kept(cluster, called, made), { status: 201 });
  }
  return called.query.get("watch") === "1"
    ? watched(cluster, kind, namespace, called)
    : listed(cluster, kind, namespace, called);
}

/** Kept, unless it is only a rehearsal. */
function kept(cluster: PlayedCluster, { query }: Called, object: KubernetesObject): KubernetesObject {
  return query.get("dryRun") === "All" ? object : cluster.put(object);
}

function item(cluster: PlayedCluster, called: Called, object: KubernetesObject): Response {
  const { method, body } = called;
  if (method === "DELETE") {
    cluster.remove(object);
    return Response.json({ kind: "Status", apiVersion: "v1", status: "Success" });
  }
  if (method === "PATCH") {
    return Response.json(kept(cluster, called, merged(object, body) as KubernetesObject));
  }
  if (method === "PUT") {
    const next = body as KubernetesObject;
    if (next.metadata.resourceVersion !== object.metadata.resourceVersion) {
      return status(
        409,
        "Conflict",
        `Operation cannot be fulfilled on "${object.metadata.name}": the object has been modified; please apply your changes to the latest version and try again`,
      );
    }
    return Response.json(kept(cluster, called, next));
  }
  return Response.json(object);
}

function inside(cluster: PlayedCluster, called: Called, object: KubernetesObject, sub: string): Response {
  if (sub === "log") {
    return logs(object, called);
  }
  if (sub === "scale") {
    return Response.json(cluster.put(merged(object, called.body) as KubernetesObject));
  }
  if (sub === "eviction") {
    const isGuarded =
      object.metadata.labels?.app === "api" && listAt(object, "spec", "containers").length > 0;
    if (isGuarded) {
      const message = "Cannot evict pod as it would violate the pod's disruption budget.";
      return status(429, "TooManyRequests", message, {
        causes: [
          {
            reason: "DisruptionBudget",
            message: "The disruption budget api needs 2 healthy pods and has 2 currently",
          },
        ],
      });
    }
    cluster.remove(object);
    return Response.json({ kind: "Status", apiVersion: "v1", status: "Success" }, { status: 201 });
  }
  return status(404, "NotFound", "the server could not find the requested resource");
}

/** As a merge patch does (RFC 7386). */
function merged(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) {
    return patch;
  }
  const result: Record<string, unknown> = { ...(typeof target === "object" ? target : {}) };
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) {
      delete result[name];
    } else {
      result[name] = merged(result[name], value);
    }
  }
  return result;
}
