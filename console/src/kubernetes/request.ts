// Requests to the Kubernetes API of a cluster, through the hub.

import { send } from "../api/transport";

/** Where the hub serves a path of a cluster's API. */
export function address(cluster: string, path: string): string {
  return `/k8s/clusters/${encodeURIComponent(cluster)}${path}`;
}

interface Options {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  body?: unknown;
  /** Of the body; JSON if nothing is said. */
  type?: string;
  accept?: string;
  signal?: AbortSignal;
}

/** Failures are thrown as `Problem`. */
export async function ask(cluster: string, path: string, options: Options = {}): Promise<Response> {
  const { method = "GET", body, type = "application/json", accept = "application/json", signal } = options;
  const request = new Request(new URL(address(cluster, path), globalThis.location.origin), {
    method,
    headers: { accept, ...(body === undefined ? {} : { "content-type": type }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  });
  return send(request);
}

/** What is answered, as JSON. */
export async function askJson<T>(cluster: string, path: string, options: Options = {}): Promise<T> {
  return (await (await ask(cluster, path, options)).json()) as T;
}
