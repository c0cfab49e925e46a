// A question about rights, as it stands in the address of the page.

import type { paths } from "../api/schema";

type Question = NonNullable<paths["/api/v1/access"]["get"]["parameters"]["query"]>;

const texts = ["user", "groups", "verb", "resource", "group"] as const;
const places = ["tenant", "project", "cluster"] as const;

/** Nothing before somebody asks. */
export function asked(query: URLSearchParams): Question | undefined {
  if (query.size === 0) {
    return undefined;
  }
  const question: Question = {};
  for (const name of texts) {
    const value = query.get(name);
    if (value !== null) {
      question[name] = value;
    }
  }
  const kind = places.find((each) => each === query.get("kind"));
  if (kind !== undefined) {
    question[kind] = query.get("place") ?? "";
  }
  return query.get("inside") === "true" ? { ...question, inside: true } : question;
}
