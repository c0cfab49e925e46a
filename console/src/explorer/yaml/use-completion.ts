// What the editor offers while an object is changed. Without a schema it offers nothing, and all else works.

import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Kind } from "../../kubernetes/kinds";
import type { Complete } from "../../ui/editor/completion";
import { fetchSchemas, fieldsAt } from "./schema";

/** Schemas are large: they are fetched once somebody types. */
export function useCompletion(cluster: string, kind: Kind, isTyping: boolean): Complete {
  const { data } = useQuery({
    queryKey: ["kubernetes", cluster, "schemas", kind.id, kind.version],
    queryFn: ({ signal }) => fetchSchemas(cluster, kind, signal),
    enabled: isTyping,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  return useMemo<Complete>(() => (data === undefined ? () => [] : (path) => fieldsAt(data, path)), [data]);
}
