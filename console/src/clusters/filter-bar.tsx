// What narrows the list of clusters. All of it stands in the address, so that it can be shared and kept.

import { Search, X } from "lucide-react";
import { type ChangeEvent, useMemo } from "react";
import type { Cluster } from "../api/hub";
import { Button } from "../ui/button";
import { control } from "../ui/field";
import { type Filter, isFiltered } from "./filter";
import { stateNames, stateOf } from "./state";

interface FilterBarProps {
  filter: Filter;
  rows: readonly Cluster[];
  onChange: (name: string, value: string) => void;
  onClear: () => void;
}

const select = `${control} flex-1 basis-28 sm:max-w-44 sm:flex-none`;

export function FilterBar({ filter, rows, onChange, onClear }: FilterBarProps) {
  const tenants = useMemo(() => distinct(rows.map(({ tenant }) => tenant ?? "")), [rows]);
  const states = useMemo(() => distinct([...stateNames, ...rows.map(({ state }) => state)]), [rows]);
  const field = (name: keyof Filter) => ({
    value: String(filter[name]),
    onChange: (event: ChangeEvent<HTMLInputElement | HTMLSelectElement>) =>
      onChange(name, event.target.value),
  });
  return (
    // biome-ignore lint/a11y/useSemanticElements: <search> is not known to all readers yet
    <div role="search" aria-label="Clusters" className="flex flex-wrap items-center gap-2">
      <div className="relative min-w-0 flex-1 basis-full sm:basis-56">
        <Search aria-hidden className="absolute top-2.5 left-3 size-4 text-muted" />
        <input
          type="search"
          aria-label="Search by name, id, tenant or version"
          placeholder="Name, id, tenant or version"
          className={`${control} w-full pl-9`}
          {...field("search")}
        />
      </div>
      <select aria-label="State" className={select} {...field("state")}>
        <option value="">Any state</option>
        {states.map((state) => (
          <option key={state} value={state}>
            {stateOf(state).label}
          </option>
        ))}
      </select>
      <select aria-label="Tenant" className={select} {...field("tenant")}>
        <option value="">Any tenant</option>
        {tenants.map((tenant) => (
          <option key={tenant}>{tenant}</option>
        ))}
      </select>
      <select aria-label="Kind" className={select} {...field("kind")}>
        <option value="">Any kind</option>
        <option value="hosted">Hosted</option>
        <option value="imported">Imported</option>
      </select>
      <input
        aria-label="Labels"
        placeholder="Labels: tier=gold,edge"
        className={`${control} min-w-0 flex-1 basis-full sm:max-w-52 sm:basis-40`}
        {...field("labels")}
      />
      {filter.attention && (
        <Button onClick={() => onChange("attention", "")}>
          Needs attention
          <X aria-hidden className="size-4" />
        </Button>
      )}
      {isFiltered(filter) && (
        <Button look="quiet" onClick={onClear}>
          Clear
        </Button>
      )}
    </div>
  );
}

function distinct(values: string[]): string[] {
  return [...new Set(values)].filter(Boolean);
}
