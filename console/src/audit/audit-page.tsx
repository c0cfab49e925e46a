// The audit log: who changed what and what was denied, searched, looked at, saved.

import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { useMemo, useState } from "react";
import { useSearchParams } from "react-router";
import { answer, hub } from "../api/hub";
import { Button, DownloadLink } from "../ui/button";
import { Empty, Loading, Page } from "../ui/page";
import { ProblemPanel } from "../ui/problem-panel";
import { DataTable } from "../ui/table/data-table";
import { auditColumns } from "./columns";
import type { AuditEntry } from "./deed";
import { EntryDialog } from "./entry-dialog";
import { FilterForm } from "./filter-form";
import { asked, exportPath } from "./query";

export function AuditPage() {
  const [query, setQuery] = useSearchParams();
  const [shown, setShown] = useState<AuditEntry>();
  // From when the filter was chosen: a time that moved would be another question each time.
  const filter = useMemo(() => asked(query, Date.now()), [query]);
  const log = useInfiniteQuery({
    queryKey: ["audit", filter],
    queryFn: async ({ pageParam }) => {
      const page = pageParam === "" ? {} : { after: pageParam };
      return answer(hub.GET("/api/v1/audit", { params: { query: { ...filter, ...page } } }));
    },
    initialPageParam: "",
    getNextPageParam: ({ next }) => next,
    placeholderData: keepPreviousData,
  });
  const entries = useMemo(
    () => (log.data?.pages ?? []).flatMap(({ items }) => items as AuditEntry[]),
    [log.data],
  );
  const save = (
    <DownloadLink href={exportPath(filter)} download="audit.jsonl">
      <Download aria-hidden className="size-4" />
      Save as JSON lines
    </DownloadLink>
  );
  return (
    <Page
      title="Audit"
      lead="Every change and every denial, the newest first. Entries are kept 90 days."
      actions={save}
    >
      <FilterForm query={query} onChange={setQuery} />
      {log.error !== null ? (
        <ProblemPanel error={log.error} onRetry={log.refetch} />
      ) : (
        <DataTable
          label="Audit log"
          columns={auditColumns}
          rows={entries}
          getId={({ id }) => String(id)}
          onOpen={setShown}
          empty={
            log.isPending ? (
              <Loading label="Entries are on their way" rows={8} />
            ) : (
              <Empty title="No entry is like this">
                Leave something out of the filter, or go further back.
              </Empty>
            )
          }
        />
      )}
      {log.hasNextPage && (
        <Button className="self-center" isBusy={log.isFetchingNextPage} onClick={() => log.fetchNextPage()}>
          Show older ones
        </Button>
      )}
      {shown !== undefined && <EntryDialog entry={shown} onClose={() => setShown(undefined)} />}
    </Page>
  );
}
