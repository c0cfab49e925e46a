// The limits of each replica of the hub, and where they are set.

import { Empty } from "../ui/page";
import type { Column } from "../ui/table/columns";
import { DataTable } from "../ui/table/data-table";
import type { Settings } from "./settings";

type Name = keyof Settings["limits"];

interface Limit {
  name: Name;
  what: string;
  /** Where it is set, among the values of the Helm chart. */
  by: string;
  value: number;
}

const told: Record<Name, readonly [what: string, by: string]> = {
  requestsPerSecond: ["User: requests/s", "--requests-per-second"],
  requestsAtOnce: ["User: requests at once", "--requests-at-once"],
  streamsAtOnce: ["User: streams at once", "--streams-at-once"],
  strangersPerSecond: ["Strangers: requests/s", "--strangers-per-second"],
  connections: ["Connections", "--connections"],
  auditDays: ["Days of the audit log", "server.auditDays"],
};

const columns: readonly Column<Limit>[] = [
  { id: "what", title: "Limit", cell: ({ what }) => <span title={what}>{what}</span> },
  {
    id: "value",
    title: "Value",
    width: "6rem",
    isNumber: true,
    cell: ({ value }) => (value === 0 ? "None" : value.toLocaleString()),
  },
  {
    id: "by",
    title: "Set by",
    from: "tablet",
    cell: ({ by }) => <code className="font-mono text-xs">{by}</code>,
  },
];

export function Limits({ limits }: { limits: Settings["limits"] }) {
  const names = Object.keys(told) as Name[];
  const rows = names.map((name) => ({ name, what: told[name][0], by: told[name][1], value: limits[name] }));
  return (
    <div className="flex flex-col gap-3">
      <p className="text-sm text-muted">
        They hold at each replica and are set where the hub is installed: flags in{" "}
        <code className="font-mono text-xs">server.extraArgs</code> of the Helm values, the days of the audit
        log in <code className="font-mono text-xs">server.auditDays</code>.
      </p>
      <DataTable
        label="Limits"
        columns={columns}
        rows={rows}
        getId={({ name }) => name}
        empty={<Empty title="No limits">The hub tells of none.</Empty>}
      />
    </div>
  );
}
