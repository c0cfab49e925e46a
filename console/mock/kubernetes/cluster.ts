// The objects of a played cluster, and the watches on them.

import type { KubernetesObject } from "../../src/kubernetes/objects.ts";
import { type PlayedKind, playedKinds } from "./kinds.ts";
import { type Seed, seed } from "./objects.ts";

export type Change = "ADDED" | "MODIFIED" | "DELETED";
type Listener = (type: Change, object: KubernetesObject) => void;

export class PlayedCluster {
  readonly #objects = new Map<string, KubernetesObject>();
  readonly #listeners = new Set<Listener>();
  readonly #ends = new Set<() => void>();
  #version = 1000;
  /** Whether all that watches asked for is forgotten: they have to list anew. */
  isForgetful = false;
  /** What every request is answered with instead, as long as it is there. */
  refusal: ((method: string, path: string) => Response | undefined) | undefined;

  constructor(asked: Seed) {
    for (const object of seed(asked)) {
      this.#objects.set(keyOf(object), this.#stamped(object));
    }
  }

  get version(): string {
    return String(this.#version);
  }

  all(kind: PlayedKind, namespace: string | undefined): KubernetesObject[] {
    return [...this.#objects.values()].filter(
      (object) => isOf(kind, object) && (namespace === undefined || object.metadata.namespace === namespace),
    );
  }

  find(kind: PlayedKind, namespace: string | undefined, name: string): KubernetesObject | undefined {
    return this.#objects.get(`${kind.group}/${kind.kind}/${namespace ?? ""}/${name}`);
  }

  put(object: KubernetesObject): KubernetesObject {
    const key = keyOf(object);
    const type = this.#objects.has(key) ? "MODIFIED" : "ADDED";
    const kept = this.#stamped(object);
    this.#objects.set(key, kept);
    this.#tell(type, kept);
    return kept;
  }

  remove(object: KubernetesObject): void {
    this.#objects.delete(keyOf(object));
    this.#tell("DELETED", this.#stamped(object));
  }

  #stamped(object: KubernetesObject): KubernetesObject {
    this.#version += 1;
    const uid = object.metadata.uid ?? `uid-${this.#version}`;
    return { ...object, metadata: { ...object.metadata, uid, resourceVersion: this.version } };
  }

  #tell(type: Change, object: KubernetesObject): void {
    for (const listener of this.#listeners) {
      listener(type, object);
    }
  }

  /** Ends all watches, as a cluster does that goes away. */
  cut(): void {
    for (const end of this.#ends) {
      end();
    }
  }

  /** Lines of JSON; `draw` makes what is sent of what changed. */
  watch(draw: (type: Change, object: KubernetesObject) => object | undefined, signal: AbortSignal): Response {
    const [encoder, listeners, ends] = [new TextEncoder(), this.#listeners, this.#ends];
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        const listener: Listener = (type, object) => {
          const drawn = draw(type, object);
          if (drawn !== undefined) {
            controller.enqueue(encoder.encode(`${JSON.stringify(drawn)}\n`));
          }
        };
        const end = () => {
          if (listeners.delete(listener)) {
            controller.close();
          }
          ends.delete(end);
        };
        listeners.add(listener);
        ends.add(end);
        signal.addEventListener("abort", end);
      },
    });
    return new Response(body, { headers: { "content-type": "application/json" } });
  }
}

function groupOf({ apiVersion }: KubernetesObject): string {
  return apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
}

function keyOf(object: KubernetesObject): string {
  const { namespace = "", name } = object.metadata;
  return `${groupOf(object)}/${object.kind}/${namespace}/${name}`;
}

function isOf({ group, kind }: PlayedKind, object: KubernetesObject): boolean {
  return object.kind === kind && groupOf(object) === group;
}

/** The kind and what follows it in a path of the API, if it is one. */
export function located(path: string) {
  const pattern =
    /^\/(?:api|apis\/(?<group>[^/]+))\/v1(?:\/namespaces\/(?<namespace>[^/]+)(?=\/))?\/(?<plural>[^/]+)(?:\/(?<name>[^/]+))?(?:\/(?<sub>[^/]+))?$/;
  const { group = "", namespace, plural, name, sub } = pattern.exec(path)?.groups ?? {};
  const kind = playedKinds.find((found) => found.group === group && found.plural === plural);
  return kind === undefined ? undefined : { kind, namespace: read(namespace), name: read(name), sub };
}

function read(part: string | undefined): string | undefined {
  return part === undefined ? undefined : decodeURIComponent(part);
}
