// Data stores, as the hub tells of them.

import { useQuery } from "@tanstack/react-query";
import { answer, type ClusterCondition, hub } from "../api/hub";
import type { components } from "../api/schema";

export type Store = components["schemas"]["DataStoreRow"];

/** Asked for again so often, in milliseconds, while they are looked at. */
const every = 15_000;

export function useStores() {
  return useQuery({
    queryKey: ["datastores", "all"],
    queryFn: () => answer(hub.GET("/api/v1/datastores")),
    refetchInterval: every,
  });
}

export function useStore(name: string) {
  return useQuery({
    queryKey: ["datastores", "one", name],
    queryFn: () => answer(hub.GET("/api/v1/datastores/{name}", { params: { path: { name } } })),
    refetchInterval: every,
  });
}

export function pathOfStore(name: string): string {
  return `/datastores/${encodeURIComponent(name)}`;
}

/** Says whether it may be deleted, not how it is. */
const deletion = "kamaji.clastix.io/DataStoreAllowedDeletion";

/** What is said of how it is, without the prefix of whose word it is. */
export function healthOf({ conditions }: Pick<Store, "conditions">): ClusterCondition[] {
  return conditions
    .filter(({ type }) => type !== deletion)
    .map((condition) => ({ ...condition, type: condition.type.split("/").at(-1) ?? condition.type }));
}

/** Why a store cannot be used, or what will be in the way. */
export function troubleOf(store: Pick<Store, "conditions">): string | undefined {
  return healthOf(store).find(({ status }) => status === "False")?.message;
}

export function roomText({ controlPlanes, capacity }: Pick<Store, "controlPlanes" | "capacity">): string {
  return capacity == null ? `${controlPlanes} on it` : `${controlPlanes} of ${capacity} on it`;
}
