// All objects of a kind: the server's columns, live, as many as there are.

import { Star } from "lucide-react";
import { useCallback, useMemo } from "react";
import { Link, useNavigate, useParams, useSearchParams } from "react-router";
import { pathOf } from "../../clusters/columns";
import { changed, readSort } from "../../clusters/filter";
import { collectionPath, type Kind, titleOf } from "../../kubernetes/kinds";
import type { List } from "../../kubernetes/list";
import { useList } from "../../kubernetes/use-list";
import { ButtonLink, IconButton } from "../../ui/button";
import { Empty, Loading, Page } from "../../ui/page";
import { ProblemPanel } from "../../ui/problem-panel";
import { useColumnChoice } from "../../ui/table/column-choice";
import { DataTable } from "../../ui/table/data-table";
import { NoSuchKind, useExplorer, useKind } from "../explorer-page";
import { useFavourites } from "../groups";
import { explorerPath, objectPath } from "../paths";
import { StaleNote } from "../stale-note";
import { tableColumns } from "./columns";
import { FilterBar } from "./filter-bar";

export function ListPage() {
  const { resource = "" } = useParams();
  const kind = useKind();
  return kind === undefined ? <NoSuchKind resource={resource} /> : <Objects key={kind.id} kind={kind} />;
}

function Objects({ kind }: { kind: Kind }) {
  const { cluster, name } = useExplorer();
  const [query, setQuery] = useSearchParams();
  const namespace = kind.isNamespaced ? query.get("namespace") || undefined : undefined;
  const { list, retry } = useList({
    cluster,
    path: collectionPath(kind, namespace),
    labels: query.get("labels") ?? "",
  });
  const wanted = (query.get("name") ?? "").trim().toLowerCase();
  const rows = useMemo(
    () => (wanted === "" ? list.rows : list.rows.filter((row) => row.name.includes(wanted))),
    [list.rows, wanted],
  );
  const change = useCallback(
    (field: string, value: string) => setQuery((before) => changed(before, field, value), { replace: true }),
    [setQuery],
  );
  const title = titleOf(kind);
  const lead = (
    <>
      <Link to={pathOf({ id: cluster })} className="text-accent underline">
        {name}
      </Link>{" "}
      · <span>{count(rows.length, list)}</span>
    </>
  );
  return (
    <Page title={title} lead={lead} actions={<ListActions kind={kind} namespace={namespace} />}>
      {list.stale !== undefined && list.rows.length > 0 && (
        <StaleNote problem={list.stale.problem} since={list.stale.since} onRetry={retry} />
      )}
      <ObjectTable
        kind={kind}
        list={list}
        rows={rows}
        isEverywhere={kind.isNamespaced && namespace === undefined}
        query={query}
        onChange={change}
        onRetry={retry}
      />
    </Page>
  );
}

function ListActions({ kind, namespace }: { kind: Kind; namespace: string | undefined }) {
  const { cluster } = useExplorer();
  const { ids, toggle } = useFavourites();
  const isFavourite = ids.includes(kind.id);
  const title = titleOf(kind);
  const query = namespace === undefined ? "" : `?namespace=${encodeURIComponent(namespace)}`;
  return (
    <>
      <IconButton
        look="plain"
        label={isFavourite ? `${title}: no favourite any more` : `${title}: a favourite`}
        aria-pressed={isFavourite}
        onClick={() => toggle(kind.id)}
      >
        <Star aria-hidden className={`size-4 ${isFavourite ? "fill-current text-warn" : ""}`} />
      </IconButton>
      <ButtonLink look="primary" to={`${explorerPath(cluster)}/create${query}`}>
        Create from YAML
      </ButtonLink>
    </>
  );
}

interface ObjectTableProps {
  kind: Kind;
  list: List;
  rows: List["rows"];
  isEverywhere: boolean;
  query: URLSearchParams;
  onChange: (name: string, value: string) => void;
  onRetry: () => void;
}

function ObjectTable({ kind, list, rows, isEverywhere, query, onChange, onRetry }: ObjectTableProps) {
  const { cluster } = useExplorer();
  const navigate = useNavigate();
  const all = useMemo(
    () => tableColumns({ cluster, kind, columns: list.columns, isEverywhere }),
    [cluster, kind, list.columns, isEverywhere],
  );
  const columns = useColumnChoice(`explorer.${kind.id}`, all);
  const sort = useMemo(() => (query.has("sort") ? readSort(query) : undefined), [query]);
  const isRefused = list.stale !== undefined && list.rows.length === 0;
  return (
    <>
      <div className="flex flex-wrap items-start gap-2">
        <div className="min-w-0 flex-1 basis-80">
          <FilterBar kind={kind} query={query} onChange={onChange} />
        </div>
        {columns.menu}
      </div>
      {isRefused ? (
        <ProblemPanel error={list.stale?.problem} onRetry={onRetry} />
      ) : (
        <DataTable
          label={titleOf(kind)}
          columns={columns.shown}
          rows={rows}
          getId={({ id }) => id}
          sort={sort}
          onSort={({ id, isBackwards }) => onChange("sort", isBackwards ? `-${id}` : id)}
          onOpen={({ namespace, name }) => navigate(objectPath(cluster, kind, namespace, name))}
          empty={
            list.isComplete ? (
              <Empty title={list.rows.length === 0 ? "There are none" : "None has such a name"}>
                {list.rows.length === 0
                  ? "None of them is in this place with these labels, or nobody made one yet."
                  : `${list.rows.length.toLocaleString()} are there; the filter leaves all of them out.`}
              </Empty>
            ) : (
              <Loading label="Objects are on their way" rows={8} />
            )
          }
        />
      )}
    </>
  );
}

function count(shown: number, { rows, isComplete, remaining }: List): string {
  const found =
    shown === rows.length
      ? rows.length.toLocaleString()
      : `${shown.toLocaleString()} of ${rows.length.toLocaleString()}`;
  if (isComplete) {
    return `${found} ${rows.length === 1 ? "object" : "objects"}`;
  }
  return remaining === undefined || remaining === 0
    ? "on their way"
    : `${found} there, ${remaining.toLocaleString()} more on their way`;
}
