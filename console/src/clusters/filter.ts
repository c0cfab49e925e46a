// Which clusters a list shows, and in which order, as it stands in the address of the page.

import type { Cluster } from "../api/hub";
import type { Sort } from "../ui/table/columns";
import { troubleOf } from "./state";

export interface Filter {
  search: string;
  state: string;
  kind: string;
  tenant: string;
  /** Such as `tier=gold,region!=north,edge`. */
  labels: string;
  /** Only those that need somebody. */
  attention: boolean;
}

export function readFilter(query: URLSearchParams): Filter {
  const text = (name: string) => query.get(name) ?? "";
  return {
    search: text("search"),
    state: text("state"),
    kind: text("kind"),
    tenant: text("tenant"),
    labels: text("labels"),
    attention: query.get("attention") === "yes",
  };
}

export function readSort(query: URLSearchParams): Sort {
  const text = query.get("sort") ?? "name";
  return text.startsWith("-") ? { id: text.slice(1), isBackwards: true } : { id: text, isBackwards: false };
}

/** The address with something changed; what is empty is left out. */
export function changed(query: URLSearchParams, name: string, value: string): URLSearchParams {
  const next = new URLSearchParams(query);
  if (value === "") {
    next.delete(name);
  } else {
    next.set(name, value);
  }
  return next;
}

export function isFiltered(filter: Filter): boolean {
  return Object.values(filter).some((value) => value !== "" && value !== false);
}

export function matches(rows: readonly Cluster[], filter: Filter): Cluster[] {
  const words = filter.search.toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = filter.labels
    .split(",")
    .map((term) => term.trim())
    .filter(Boolean)
    .map(labelTest);
  return rows.filter(
    (row) =>
      (filter.state === "" || row.state === filter.state) &&
      (filter.kind === "" || row.kind === filter.kind) &&
      (filter.tenant === "" || row.tenant === filter.tenant) &&
      words.every((word) => textOf(row).includes(word)) &&
      wanted.every((test) => test(row.labels)) &&
      (!filter.attention || troubleOf(row) !== undefined),
  );
}

function textOf({ id, name, tenant, version }: Cluster): string {
  return `${id} ${name} ${tenant ?? ""} ${version ?? ""}`.toLowerCase();
}

type LabelTest = (labels: Record<string, string>) => boolean;

function labelTest(term: string): LabelTest {
  const unequal = term.split("!=");
  if (unequal[1] !== undefined) {
    return (labels) => labels[unequal[0] ?? ""] !== unequal[1];
  }
  const [name = "", value] = term.split("=");
  return value === undefined ? (labels) => name in labels : (labels) => labels[name] === value;
}
