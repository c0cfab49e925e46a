// The first column of most lists: the name, which leads to the page, above what people call it.

import { Link } from "react-router";
import type { Column } from "../ui/table/columns";
import { type Noun, pathTo, type Shown } from "./objects";

export function nameColumn<N extends Noun>(
  noun: N,
  title: string,
  note: (object: Shown<N>) => string | null | undefined,
): Column<Shown<N>> {
  return {
    id: "name",
    title,
    sortBy: ({ name }) => name,
    cell: (object) => (
      <span className="flex flex-col">
        <Link
          to={pathTo(noun, object.name)}
          tabIndex={-1}
          className="truncate font-medium text-accent hover:underline"
        >
          {object.name}
        </Link>
        <span className="truncate text-xs text-muted">{note(object)}</span>
      </span>
    ),
  };
}
