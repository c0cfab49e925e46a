// Tenants that something can belong to.

import { useQuery } from "@tanstack/react-query";
import { answer, hub } from "../api/hub";
import { Problem } from "../api/problem";

const most = 500;

/** Names of tenants that the user sees; empty if they may not list any, nothing while it is not known. */
export function useTenants(): readonly string[] | undefined {
  const { data, error } = useQuery({
    queryKey: ["tenants", "names"],
    queryFn: async () => {
      const page = await answer(
        hub.GET("/api/v1/tenants", { params: { query: { limit: most, fields: "name" } } }),
      );
      return page.items.map(({ name }) => name);
    },
  });
  return error !== null && Problem.from(error).code !== "away" ? [] : data;
}
