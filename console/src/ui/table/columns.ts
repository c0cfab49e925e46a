// What a column of a table is, and how it becomes one of TanStack Table's.

import {
  type ColumnDef,
  createSortedRowModel,
  type Row,
  rowSortingFeature,
  tableFeatures,
} from "@tanstack/react-table";
import type { ReactNode } from "react";

/** What it is sorted by; rows without it come last. */
export type SortValue = string | number | undefined;

export interface Sort {
  id: string;
  isBackwards: boolean;
}

export interface Column<T> {
  id: string;
  title: string;
  cell: (row: T) => ReactNode;
  sortBy?: (row: T) => SortValue;
  /** Width in CSS; the rest is shared by those without. */
  width?: string;
  /** Left out where there is little room. */
  from?: "tablet" | "desktop";
  /** Shown only when somebody asks for it. */
  isExtra?: boolean;
  isNumber?: boolean;
}

export const features = tableFeatures({
  rowSortingFeature,
  sortedRowModel: createSortedRowModel(),
});

type Features = typeof features;

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

export function compare(one: SortValue, other: SortValue): number {
  return typeof one === "number" && typeof other === "number"
    ? one - other
    : collator.compare(String(one), String(other));
}

export function definitions<T extends object>(columns: readonly Column<T>[]): ColumnDef<Features, T>[] {
  return columns.map(({ id, sortBy }) => ({
    id,
    accessorFn: (row: T) => sortBy?.(row),
    enableSorting: sortBy !== undefined,
    sortUndefined: "last",
    sortFn: (one: Row<Features, T>, other: Row<Features, T>) =>
      compare(one.getValue<SortValue>(id), other.getValue<SortValue>(id)),
  }));
}

/** The class that leaves a column out where there is little room. */
export function roomClass<T>({ from }: Column<T>): string {
  return from === undefined ? "" : from === "tablet" ? "max-sm:hidden" : "max-lg:hidden";
}
