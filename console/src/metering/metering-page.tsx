// What tenants use: a chart by day, a table by tenant, and all of it as CSV.

import { Download } from "lucide-react";
import { lazy, Suspense, useMemo } from "react";
import { useSearchParams } from "react-router";
import { useAll } from "../objects/objects";
import { DownloadLink } from "../ui/button";
import { control } from "../ui/field";
import { Empty, Loading, Page, Section, Skeleton } from "../ui/page";
import { ProblemPanel } from "../ui/problem-panel";
import type { Column } from "../ui/table/columns";
import { DataTable } from "../ui/table/data-table";
import { amountText, daysIn, exportPath, type MeasureName, measureIn, measures, spans, sum } from "./usage";
import { type Metering, useMetering } from "./use-metering";

const Chart = lazy(() => import("./chart"));

export function MeteringPage() {
  const [query, setQuery] = useSearchParams();
  // From when the span was chosen: days that moved would be another question each time.
  const { from, to } = useMemo(() => daysIn(query, Date.now()), [query]);
  const tenant = query.get("tenant") ?? "";
  const measure = measureIn(query);
  const { metering, error, isPending, refetch } = useMetering({ from, to, tenant, measure });
  const change = (name: string, value: string) =>
    setQuery((before) => {
      const next = new URLSearchParams(before);
      next.set(name, value);
      return next;
    });
  const save = (
    <DownloadLink
      href={exportPath({ from, to, ...(tenant === "" ? {} : { tenant }) })}
      download={`metering-${from}-${to}.csv`}
    >
      <Download aria-hidden className="size-4" />
      Save as CSV
    </DownloadLink>
  );
  return (
    <Page title="Metering" lead={`What tenants used from ${from} to ${to}, by days of UTC.`} actions={save}>
      <Filters query={query} onChange={change} />
      {error !== null ? (
        <ProblemPanel error={error} onRetry={refetch} />
      ) : isPending ? (
        <Loading label="Usage is on its way" rows={8} />
      ) : (
        <Shown metering={metering} measure={measure} onOpen={(name) => change("tenant", name)} />
      )}
    </Page>
  );
}

interface FiltersProps {
  query: URLSearchParams;
  onChange: (name: string, value: string) => void;
}

function Filters({ query, onChange }: FiltersProps) {
  const tenants = useAll("tenants").data ?? [];
  const field = (name: string, otherwise: string) => ({
    value: query.get(name) ?? otherwise,
    className: `${control} flex-1 basis-44 sm:flex-none`,
    onChange: ({ target }: { target: HTMLSelectElement }) => onChange(name, target.value),
  });
  return (
    <div className="flex flex-wrap gap-2">
      <select aria-label="Measure" {...field("measure", "controlPlane")}>
        {Object.entries(measures).map(([name, { label }]) => (
          <option key={name} value={name}>
            {label}
          </option>
        ))}
      </select>
      <select aria-label="Tenant" {...field("tenant", "")}>
        <option value="">All tenants</option>
        {tenants.map(({ name }) => (
          <option key={name}>{name}</option>
        ))}
      </select>
      <select aria-label="Days" {...field("span", "month")}>
        {Object.entries(spans).map(([name, { label }]) => (
          <option key={name} value={name}>
            {label}
          </option>
        ))}
      </select>
    </div>
  );
}

type Row = Metering["tenants"][number];

const columns: readonly Column<Row>[] = [
  { id: "name", title: "Tenant", cell: ({ name }) => <span className="font-medium">{name}</span> },
  ...(Object.keys(measures) as MeasureName[]).map(
    (name): Column<Row> => ({
      id: name,
      title: measures[name].title,
      isNumber: true,
      ...(name === "controlPlane" ? {} : { from: name === "nodes" ? "tablet" : "desktop" }),
      cell: ({ use }) => amountText(measures[name].of(use)),
    }),
  ),
];

interface ShownProps {
  metering: Metering;
  measure: MeasureName;
  onOpen: (tenant: string) => void;
}

function Shown({ metering, measure, onOpen }: ShownProps) {
  const { days, series, tenants } = metering;
  const total = sum(series.flatMap(({ amounts }) => amounts));
  const { label } = measures[measure];
  return (
    <>
      <Section title={`${label}: ${amountText(total)} in all`}>
        <Suspense fallback={<Skeleton className="h-64" />}>
          <Chart label={`${label} by day; the table by tenant follows`} days={days} series={series} />
        </Suspense>
      </Section>
      <DataTable
        label="Use by tenant"
        columns={columns}
        rows={tenants}
        getId={({ name }) => name}
        onOpen={({ name }) => onOpen(name)}
        empty={
          <Empty title="Nothing was used in these days">
            Clusters are metered from the minute in which they are made. A control plane that sleeps costs
            nothing.
          </Empty>
        }
      />
    </>
  );
}
