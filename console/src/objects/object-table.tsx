// The list of all objects of a kind: searched, sorted, opened.

import { Search } from "lucide-react";
import { type ReactNode, useMemo } from "react";
import { useNavigate, useSearchParams } from "react-router";
import { control } from "../ui/field";
import { Empty, Loading } from "../ui/page";
import { ProblemPanel } from "../ui/problem-panel";
import type { Column, Sort } from "../ui/table/columns";
import { DataTable } from "../ui/table/data-table";

interface ObjectTableProps<T> {
  label: string;
  columns: readonly Column<T>[];
  /** Nothing while they are on their way. */
  rows: readonly T[] | undefined;
  error: unknown;
  onRetry: () => void;
  getId: (row: T) => string;
  /** What a row is found by. */
  words: (row: T) => string;
  pathOf?: (row: T) => string;
  /** Whether the order is that of `rows`, such as in a tree. */
  isOrdered?: boolean;
  /** When there are none at all. */
  empty: ReactNode;
}

export function ObjectTable<T extends object>(props: ObjectTableProps<T>) {
  const { label, columns, rows, error, onRetry, getId, words, pathOf, isOrdered = false, empty } = props;
  const [query, setQuery] = useSearchParams();
  const navigate = useNavigate();
  const typed = query.get("search") ?? "";
  const sort = useMemo(() => readSort(query), [query]);
  const shown = useMemo(() => {
    const wanted = typed.toLowerCase();
    return (rows ?? []).filter((row) => words(row).toLowerCase().includes(wanted));
  }, [rows, typed, words]);
  const change = (name: string, value: string) =>
    setQuery(
      (before) => {
        const next = new URLSearchParams(before);
        if (value === "") {
          next.delete(name);
        } else {
          next.set(name, value);
        }
        return next;
      },
      { replace: true },
    );
  if (error !== null && rows === undefined) {
    return <ProblemPanel error={error} onRetry={onRetry} />;
  }
  return (
    <>
      <div className="relative max-w-md">
        <Search aria-hidden className="absolute top-2.5 left-3 size-4 text-muted" />
        <input
          type="search"
          aria-label={`Search ${label.toLowerCase()}`}
          placeholder="Search"
          className={`${control} w-full pl-9`}
          value={typed}
          onChange={(event) => change("search", event.target.value)}
        />
      </div>
      <DataTable
        label={label}
        columns={columns}
        rows={shown}
        getId={getId}
        {...(isOrdered
          ? {}
          : {
              sort,
              onSort: ({ id, isBackwards }: Sort) => change("sort", isBackwards ? `-${id}` : id),
            })}
        {...(pathOf === undefined ? {} : { onOpen: (row: T) => navigate(pathOf(row)) })}
        empty={
          rows === undefined ? (
            <Loading label={`${label} are on their way`} rows={8} />
          ) : rows.length === 0 ? (
            empty
          ) : (
            <Empty title="Nothing is like this">All {rows.length} are left out by what you search for.</Empty>
          )
        }
      />
    </>
  );
}

function readSort(query: URLSearchParams): Sort | undefined {
  const text = query.get("sort");
  if (text === null) {
    return undefined;
  }
  return text.startsWith("-") ? { id: text.slice(1), isBackwards: true } : { id: text, isBackwards: false };
}
