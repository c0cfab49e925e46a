// What narrows a list: namespace and labels are the server's, the name is sought in what is there.

import { Search } from "lucide-react";
import { useEffect, useState } from "react";
import { collectionPath, type Kind } from "../../kubernetes/kinds";
import { useList } from "../../kubernetes/use-list";
import { control } from "../../ui/field";
import { useExplorer } from "../explorer-page";

interface FilterBarProps {
  kind: Kind;
  query: URLSearchParams;
  onChange: (name: string, value: string) => void;
}

export function FilterBar({ kind, query, onChange }: FilterBarProps) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: <search> is not known to all readers yet
    <div role="search" aria-label="Objects" className="flex flex-wrap items-center gap-2">
      <div className="relative min-w-0 flex-1 basis-full sm:basis-56">
        <Search aria-hidden className="absolute top-2.5 left-3 size-4 text-muted" />
        <input
          type="search"
          aria-label="Search by name"
          placeholder="Name"
          className={`${control} w-full pl-9`}
          value={query.get("name") ?? ""}
          onChange={(event) => onChange("name", event.target.value)}
        />
      </div>
      {kind.isNamespaced && (
        <NamespaceField
          value={query.get("namespace") ?? ""}
          onChange={(value) => onChange("namespace", value)}
        />
      )}
      <Committed
        label="Label selector"
        placeholder="Labels: app=web,tier!=back"
        value={query.get("labels") ?? ""}
        onChange={(value) => onChange("labels", value)}
      />
    </div>
  );
}

interface FieldProps {
  value: string;
  onChange: (value: string) => void;
}

export function NamespaceField({ value, onChange }: FieldProps) {
  const { cluster, kinds } = useExplorer();
  const kind = kinds.find(({ id }) => id === "namespaces");
  const { list } = useList(kind === undefined ? undefined : { cluster, path: collectionPath(kind) });
  // Whoever may not list them can name one.
  if (kind === undefined || list.stale?.problem.code === "denied") {
    return <Committed label="Namespace" placeholder="Namespace" value={value} onChange={onChange} />;
  }
  const names = list.rows.map(({ name }) => name);
  return (
    <select
      aria-label="Namespace"
      className={`${control} flex-1 basis-40 sm:max-w-56 sm:flex-none`}
      value={value}
      onChange={(event) => onChange(event.target.value)}
    >
      <option value="">All namespaces</option>
      {[...new Set(value === "" ? names : [value, ...names])].map((name) => (
        <option key={name}>{name}</option>
      ))}
    </select>
  );
}

/** What counts once it was typed whole: with Enter, or when it is left. */
function Committed({
  label,
  placeholder,
  value,
  onChange,
}: FieldProps & { label: string; placeholder: string }) {
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  return (
    <input
      aria-label={label}
      placeholder={placeholder}
      spellCheck={false}
      className={`${control} min-w-0 flex-1 basis-full sm:max-w-60 sm:basis-40`}
      value={typed}
      onChange={(event) => setTyped(event.target.value)}
      onBlur={() => onChange(typed.trim())}
      onKeyDown={(event) => event.key === "Enter" && onChange(typed.trim())}
    />
  );
}
