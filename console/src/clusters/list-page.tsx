// The list of all clusters that the user sees.

import { useCallback, useMemo, useState } from "react";
import { useNavigate, useSearchParams } from "react-router";
import { useFleet } from "../live/clusters";
import { useMe } from "../session/session";
import { Button, ButtonLink } from "../ui/button";
import { counted } from "../ui/format";
import { Empty, Loading, Page } from "../ui/page";
import { useColumnChoice } from "../ui/table/column-choice";
import { DataTable } from "../ui/table/data-table";
import { BulkBar } from "./bulk-bar";
import { clusterColumns, pathOf } from "./columns";
import { changed, isFiltered, matches, readFilter, readSort } from "./filter";
import { FilterBar } from "./filter-bar";
import { Views } from "./views";

export function ClustersPage() {
  const { rows, isComplete } = useFleet();
  const { user } = useMe();
  const navigate = useNavigate();
  const [query, setQuery] = useSearchParams();
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const filter = useMemo(() => readFilter(query), [query]);
  const sort = useMemo(() => readSort(query), [query]);
  const shown = useMemo(() => matches(rows, filter), [rows, filter]);
  const chosen = useMemo(() => shown.filter(({ id }) => selected.has(id)), [shown, selected]);
  const columns = useColumnChoice("clusters", clusterColumns);
  const change = useCallback(
    (name: string, value: string) => setQuery((before) => changed(before, name, value), { replace: true }),
    [setQuery],
  );
  const clear = () => setQuery((before) => (before.has("sort") ? { sort: before.get("sort") ?? "" } : {}));
  const actions = (
    <>
      <ButtonLink to="/clusters/import">Import</ButtonLink>
      <ButtonLink to="/clusters/create" look="primary">
        Create
      </ButtonLink>
    </>
  );
  return (
    <Page title="Clusters" lead={count(shown.length, rows.length)} actions={actions}>
      <div className="flex flex-wrap items-start gap-2">
        <div className="min-w-0 flex-1 basis-80">
          <FilterBar filter={filter} rows={rows} onChange={change} onClear={clear} />
        </div>
        <Views user={user} query={query.toString()} onOpen={(text) => setQuery(new URLSearchParams(text))} />
        {columns.menu}
      </div>
      {chosen.length > 0 && <BulkBar clusters={chosen} onDone={() => setSelected(new Set())} />}
      <DataTable
        label="Clusters"
        columns={columns.shown}
        rows={shown}
        getId={({ id }) => id}
        sort={sort}
        onSort={({ id, isBackwards }) => change("sort", isBackwards ? `-${id}` : id)}
        selected={selected}
        onSelect={setSelected}
        onOpen={(cluster) => navigate(pathOf(cluster))}
        empty={
          !isComplete ? (
            <Loading label="Clusters are on their way" rows={8} />
          ) : isFiltered(filter) ? (
            <Empty
              title="No cluster is like this"
              actions={<Button onClick={clear}>Clear the filter</Button>}
            >
              {rows.length.toLocaleString()} clusters are there; the filter leaves all of them out.
            </Empty>
          ) : (
            <Empty title="There are no clusters yet" actions={actions}>
              A cluster that you create runs its control plane here; one that you import runs elsewhere, and
              its agent connects it.
            </Empty>
          )
        }
      />
    </Page>
  );
}

function count(shown: number, all: number): string {
  const total = counted(all, "cluster");
  return shown === all ? total : `${shown.toLocaleString()} of ${total}`;
}
