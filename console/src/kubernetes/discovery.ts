// Which kinds a cluster has: aggregated discovery (`apidiscovery.k8s.io/v2`), two requests for all of them.

import { skipToken, useQuery } from "@tanstack/react-query";
import type { Kind } from "./kinds";
import { askJson } from "./request";

const accept =
  "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList, application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";

interface Resource {
  resource: string;
  responseKind?: { kind: string };
  scope: string;
  verbs?: string[];
  shortNames?: string[];
  subresources?: { subresource: string }[];
}

export interface Discovered {
  items: {
    metadata: { name?: string };
    versions: { version: string; resources?: Resource[] }[];
  }[];
}

/** Kinds that can be listed, each in the version that its group prefers. */
export function kindsOf({ items }: Discovered): Kind[] {
  return items.flatMap(({ metadata, versions }) => {
    const group = metadata.name ?? "";
    const found = new Map<string, Kind>();
    for (const { version, resources = [] } of versions) {
      for (const resource of resources) {
        const isFirst = !found.has(resource.resource) && resource.verbs?.includes("list") === true;
        if (isFirst) {
          found.set(resource.resource, kind(group, version, resource));
        }
      }
    }
    return [...found.values()];
  });
}

function kind(group: string, version: string, resource: Resource): Kind {
  const { resource: plural, responseKind, scope, verbs = [], shortNames = [], subresources = [] } = resource;
  return {
    id: group === "" ? plural : `${plural}.${group}`,
    group,
    version,
    plural,
    kind: responseKind?.kind ?? plural,
    isNamespaced: scope === "Namespaced",
    verbs,
    shortNames,
    subresources: subresources.map(({ subresource }) => subresource),
  };
}

async function discover(cluster: string, signal: AbortSignal): Promise<Kind[]> {
  const [core, groups] = await Promise.all(
    ["/api", "/apis"].map((path) => askJson<Discovered>(cluster, path, { accept, signal })),
  );
  return [core, groups].flatMap((found) => (found === undefined ? [] : kindsOf(found)));
}

const key = (cluster: string) => ["kubernetes", cluster, "kinds"];

/** What is known of them stays while the cluster does not answer. */
export function useKinds(cluster: string) {
  return useQuery({
    queryKey: key(cluster),
    queryFn: ({ signal }) => discover(cluster, signal),
    staleTime: 60_000,
    gcTime: Number.POSITIVE_INFINITY,
  });
}

/** Those that are known already, without asking. */
export function useKnownKinds(cluster: string): readonly Kind[] {
  const { data } = useQuery<Kind[]>({ queryKey: key(cluster), queryFn: skipToken });
  return data ?? [];
}
