// The server's columns as those of the table: names lead to objects, ages are of now, states have colours.

import { Link } from "react-router";
import type { Kind } from "../../kubernetes/kinds";
import type { Row, TableColumn } from "../../kubernetes/tables";
import { Badge, type Tone } from "../../ui/badge";
import type { Column } from "../../ui/table/columns";
import { Ago } from "../../ui/time";
import { objectPath } from "../paths";

const none = <span className="text-muted">—</span>;

/** Columns that say in one word how an object is. */
const stateNames = new Set(["Status", "Phase", "State"]);

const tones: Record<string, Tone> = {
  Running: "ok",
  Active: "ok",
  Bound: "ok",
  Ready: "ok",
  Available: "ok",
  Completed: "rest",
  Succeeded: "ok",
  Complete: "ok",
  Pending: "busy",
  ContainerCreating: "busy",
  PodInitializing: "busy",
  Terminating: "busy",
  Released: "warn",
  Suspended: "rest",
};

/** How an object is, by what the server writes: a word, or how many of how many are ready. */
export function toneOf(text: string): Tone {
  if (text.includes("SchedulingDisabled")) {
    return "warn";
  }
  const [, ready, all] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  if (ready !== undefined) {
    return ready === all ? "ok" : "warn";
  }
  const isFailure = /(Error|Failed|BackOff|OOMKilled|NotReady|Lost|Unknown|Evicted)/.test(text);
  return isFailure ? "bad" : (tones[text] ?? "none");
}

export function cellText(cell: unknown): string {
  if (cell === null || cell === undefined || cell === "") {
    return "";
  }
  return typeof cell === "object" ? JSON.stringify(cell) : String(cell);
}

interface Shown {
  cluster: string;
  kind: Kind;
  columns: readonly TableColumn[];
  /** Whether objects of several namespaces are listed. */
  isEverywhere: boolean;
}

export function tableColumns({ cluster, kind, columns, isEverywhere }: Shown): Column<Row>[] {
  const others = columns
    .map((column, place) => ({ ...column, place }))
    .filter(({ name }) => name !== "Name" && name !== "Age" && name !== "Created At");
  const stateAt = others.findIndex(({ name }) => stateNames.has(name));
  const first = others[stateAt === -1 ? 0 : stateAt];
  return [
    nameColumn(cluster, kind, isEverywhere),
    ...(isEverywhere ? [namespaceColumn] : []),
    ...others.map(({ name, place, priority }, index): Column<Row> => {
      const isFirst = place === first?.place;
      return {
        id: `${name.toLowerCase().replaceAll(/\W+/g, "-")}-${place}`,
        title: name,
        sortBy: ({ cells }) => cellText(cells[place]) || undefined,
        cell: ({ cells }) => cell(name, cells[place]),
        ...(stateNames.has(name) ? { width: "10.5rem" } : {}),
        ...(isFirst ? {} : { from: index < 3 ? "tablet" : "desktop" }),
        isExtra: priority > 0,
      };
    }),
    ageColumn,
  ];
}

function cell(name: string, value: unknown) {
  const text = cellText(value);
  if (text === "") {
    return none;
  }
  return stateNames.has(name) ? <Badge tone={toneOf(text)}>{text}</Badge> : <span title={text}>{text}</span>;
}

function nameColumn(cluster: string, kind: Kind, isEverywhere: boolean): Column<Row> {
  return {
    id: "name",
    title: "Name",
    sortBy: ({ name }) => name,
    cell: ({ name, namespace }) => (
      <span className="flex flex-col">
        <Link
          to={objectPath(cluster, kind, namespace, name)}
          tabIndex={-1}
          className="truncate font-medium text-accent hover:underline"
          title={name}
        >
          {name}
        </Link>
        {isEverywhere && <span className="truncate text-xs text-muted sm:hidden">{namespace}</span>}
      </span>
    ),
  };
}

const namespaceColumn: Column<Row> = {
  id: "namespace",
  title: "Namespace",
  width: "10rem",
  from: "tablet",
  sortBy: ({ namespace }) => namespace,
  cell: ({ namespace }) => namespace ?? none,
};

const ageColumn: Column<Row> = {
  id: "age",
  title: "Created",
  width: "9rem",
  from: "tablet",
  sortBy: ({ created }) => (created === undefined ? undefined : Date.parse(created)),
  cell: ({ created }) => (created === undefined ? none : <Ago time={created} />),
};
