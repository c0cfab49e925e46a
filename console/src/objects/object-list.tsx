// The page of all objects of a kind that has pages of its own: the list, and the way to another one.

import { ButtonLink } from "../ui/button";
import { Empty, Page } from "../ui/page";
import type { Column } from "../ui/table/columns";
import { ObjectTable } from "./object-table";
import { type Noun, pathTo, type Shown, useAll } from "./objects";

interface ObjectListProps<N extends Noun> {
  noun: N;
  title: string;
  lead: string;
  columns: readonly Column<Shown<N>>[];
  /** What an object is found by. */
  words: (object: Shown<N>) => string;
  /** Where another one is made, and what that is called. */
  create: { to: string; label: string };
  /** When there are none at all. */
  empty: { title: string; text: string };
}

export function ObjectList<N extends Noun>(props: ObjectListProps<N>) {
  const { noun, title, lead, columns, words, create, empty } = props;
  const { data, error, refetch } = useAll(noun);
  const way = (
    <ButtonLink to={create.to} look="primary">
      {create.label}
    </ButtonLink>
  );
  return (
    <Page title={title} lead={lead} actions={way}>
      <ObjectTable
        label={title}
        columns={columns}
        rows={data}
        error={error}
        onRetry={refetch}
        getId={({ name }) => name}
        words={words}
        pathOf={({ name }) => pathTo(noun, name)}
        empty={
          <Empty title={empty.title} actions={way}>
            {empty.text}
          </Empty>
        }
      />
    </Page>
  );
}
