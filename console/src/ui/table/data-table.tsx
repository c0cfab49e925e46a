// The one table: thousands of rows, sorted, selected, moved through by keys. Filtering is its owner's.

import { type SortingState, useTable } from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useCallback, useMemo, useRef } from "react";
import { useActiveRow } from "./active-row";
import { type Column, definitions, features, roomClass, type Sort } from "./columns";
import { Head } from "./head";
import { toggled } from "./selection";

const rowHeight = 48;

interface DataTableProps<T> {
  /** What the rows are, for whoever does not see them. */
  label: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  getId: (row: T) => string;
  sort?: Sort | undefined;
  onSort?: (sort: Sort) => void;
  /** Ids of rows that are selected; nothing can be selected without it. */
  selected?: ReadonlySet<string>;
  onSelect?: (selected: ReadonlySet<string>) => void;
  onOpen?: (row: T) => void;
  /** In place of rows. */
  empty: ReactNode;
}

export function DataTable<T extends object>(props: DataTableProps<T>) {
  const { label, columns, rows, getId, sort, onSort, selected, onSelect, onOpen, empty } = props;
  const scrollRef = useRef<HTMLDivElement>(null);
  const sorting = useMemo<SortingState>(
    () => (sort === undefined ? [] : [{ id: sort.id, desc: sort.isBackwards }]),
    [sort],
  );
  const table = useTable({
    features,
    columns: useMemo(() => definitions(columns), [columns]),
    data: rows,
    getRowId: getId,
    state: { sorting },
  });
  const sorted = table.getRowModel().rows;
  const virtualizer = useVirtualizer({
    count: sorted.length,
    getScrollElement: () => scrollRef.current,
    estimateSize: () => rowHeight,
    getItemKey: (index) => sorted[index]?.id ?? index,
    overscan: 8,
  });
  const show = useCallback((index: number) => virtualizer.scrollToIndex(index), [virtualizer]);
  const active = useActiveRow(sorted.length, show);

  const anchor = useRef<number>(undefined);
  const toggle = (index: number, isRange: boolean) => {
    const ids = sorted.map(({ id }) => id);
    onSelect?.(toggled(selected ?? new Set(), ids, index, isRange ? anchor.current : undefined));
    anchor.current = index;
  };
  const shown = virtualizer.getVirtualItems();
  const before = shown[0]?.start ?? 0;
  const after = virtualizer.getTotalSize() - (shown.at(-1)?.end ?? 0);

  return (
    <div
      ref={scrollRef}
      className="max-h-[max(22rem,calc(100dvh-15.5rem))] overflow-auto rounded-xl border border-line bg-surface"
    >
      <table
        aria-label={label}
        aria-rowcount={sorted.length + 1}
        className="w-full table-fixed border-separate border-spacing-0 text-sm"
      >
        <Head
          columns={columns}
          sort={sort}
          onSort={onSort}
          selection={
            selected && {
              isAll: sorted.length > 0 && sorted.every((row) => selected.has(row.id)),
              isSome: selected.size > 0,
              onAll: (isAll) => onSelect?.(new Set(isAll ? sorted.map((row) => row.id) : [])),
            }
          }
        />
        <tbody ref={active.bodyRef} onKeyDown={active.onKeyDown}>
          {before > 0 && <tr aria-hidden style={{ height: before }} />}
          {shown.map(({ index }) => {
            const row = sorted[index];
            if (row === undefined) {
              return null;
            }
            const isSelected = selected?.has(row.id) === true;
            return (
              <tr
                key={row.id}
                data-index={index}
                tabIndex={index === active.index ? 0 : -1}
                aria-rowindex={index + 2}
                aria-selected={selected === undefined ? undefined : isSelected}
                onFocus={(event) => event.target === event.currentTarget && active.onFocus(index)}
                onKeyDown={(event) => {
                  if (event.target !== event.currentTarget) {
                    return;
                  }
                  if (event.key === "Enter") {
                    onOpen?.(row.original);
                  } else if (event.key === " " && selected !== undefined) {
                    event.preventDefault();
                    toggle(index, event.shiftKey);
                  }
                }}
                className={`group h-12 -outline-offset-2 ${isSelected ? "bg-accent-soft" : "hover:bg-sunken"}`}
              >
                {selected !== undefined && (
                  <td className="w-10 border-b border-line pl-3">
                    <input
                      type="checkbox"
                      tabIndex={-1}
                      className="size-4 align-middle accent-accent"
                      aria-label={`Select ${row.id}`}
                      checked={isSelected}
                      onChange={(event) => toggle(index, (event.nativeEvent as MouseEvent).shiftKey)}
                    />
                  </td>
                )}
                {columns.map((column) => (
                  <td
                    key={column.id}
                    className={`overflow-hidden border-b border-line px-3 text-ellipsis whitespace-nowrap ${column.isNumber === true ? "text-right tabular-nums" : ""} ${roomClass(column)}`}
                  >
                    {column.cell(row.original)}
                  </td>
                ))}
              </tr>
            );
          })}
          {after > 0 && <tr aria-hidden style={{ height: after }} />}
        </tbody>
      </table>
      {sorted.length === 0 && empty}
    </div>
  );
}
