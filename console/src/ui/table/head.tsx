// The head of a table: what it can be sorted by, and what selects all rows.

import { ArrowDown, ArrowUp } from "lucide-react";
import { type Column, roomClass, type Sort } from "./columns";

interface Selection {
  isAll: boolean;
  isSome: boolean;
  onAll: (isAll: boolean) => void;
}

interface HeadProps<T> {
  columns: readonly Column<T>[];
  sort: Sort | undefined;
  onSort: ((sort: Sort) => void) | undefined;
  selection: Selection | undefined;
}

const cell = "sticky top-0 z-10 border-b border-line bg-surface";

export function Head<T>({ columns, sort, onSort, selection }: HeadProps<T>) {
  return (
    <thead>
      <tr aria-rowindex={1} className="h-10">
        {selection !== undefined && (
          <th scope="col" className={`${cell} w-10 pl-3 text-left`}>
            <input
              type="checkbox"
              className="size-4 align-middle accent-accent"
              aria-label="Select all"
              checked={selection.isAll}
              ref={(box) => {
                if (box !== null) {
                  box.indeterminate = selection.isSome && !selection.isAll;
                }
              }}
              onChange={(event) => selection.onAll(event.target.checked)}
            />
          </th>
        )}
        {columns.map((column) => (
          <HeadCell key={column.id} column={column} sort={sort} onSort={onSort} />
        ))}
      </tr>
    </thead>
  );
}

function HeadCell<T>({
  column,
  sort,
  onSort,
}: {
  column: Column<T>;
  sort: Sort | undefined;
  onSort: HeadProps<T>["onSort"];
}) {
  const isSorted = sort?.id === column.id;
  const direction = sort?.isBackwards === true ? "descending" : "ascending";
  const Arrow = sort?.isBackwards === true ? ArrowDown : ArrowUp;
  return (
    <th
      scope="col"
      aria-sort={isSorted ? direction : undefined}
      style={{ width: column.width }}
      className={`${cell} text-left font-medium text-muted ${roomClass(column)}`}
    >
      {column.sortBy === undefined || onSort === undefined ? (
        <span className={`block px-3 ${column.isNumber === true ? "text-right" : ""}`}>{column.title}</span>
      ) : (
        <button
          type="button"
          className={`flex h-10 w-full items-center gap-1 px-3 font-medium -outline-offset-2 hover:text-text ${column.isNumber === true ? "justify-end" : ""} ${isSorted ? "text-text" : ""}`}
          onClick={() => onSort({ id: column.id, isBackwards: isSorted && !sort.isBackwards })}
        >
          <span className="truncate">{column.title}</span>
          {isSorted && <Arrow aria-hidden className="size-3.5 shrink-0" />}
        </button>
      )}
    </th>
  );
}
