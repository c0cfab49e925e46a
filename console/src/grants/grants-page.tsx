// All grants that the user sees: who has which role where.

import { useState } from "react";
import { Link } from "react-router";
import { ObjectTable } from "../objects/object-table";
import { pathTo, type Shown, useAll } from "../objects/objects";
import { Button, ButtonLink } from "../ui/button";
import { Empty, Page } from "../ui/page";
import type { Column } from "../ui/table/columns";
import { TakeGrant } from "./members";
import { placeText } from "./place";

type Grant = Shown<"grants">;

function heldOf({ name, spec }: Grant) {
  const to = spec.user == null ? `group ${spec.group}` : `user ${spec.user}`;
  return { grant: name, role: spec.role, to, at: placeText(spec.scope) };
}

function columns(onTake: (grant: Grant) => void): Column<Grant>[] {
  return [
    {
      id: "to",
      title: "To whom",
      sortBy: (grant) => heldOf(grant).to,
      cell: (grant) => (
        <span className="flex flex-col">
          <span className="truncate font-medium">{heldOf(grant).to}</span>
          <span className="truncate text-xs text-muted">
            <span className="sm:hidden">
              {grant.spec.role} at {heldOf(grant).at} ·{" "}
            </span>
            {grant.name}
          </span>
        </span>
      ),
    },
    {
      id: "role",
      title: "Role",
      from: "tablet",
      sortBy: ({ spec }) => spec.role,
      cell: ({ spec }) => (
        <Link to={pathTo("roles", spec.role)} tabIndex={-1} className="text-accent hover:underline">
          {spec.role}
        </Link>
      ),
    },
    {
      id: "at",
      title: "Where",
      from: "tablet",
      sortBy: (grant) => heldOf(grant).at,
      cell: (grant) => heldOf(grant).at,
    },
    {
      id: "take",
      title: "Action",
      width: "8rem",
      cell: (grant) => (
        <Button
          look="quiet"
          aria-label={`Take away ${grant.spec.role} from ${heldOf(grant).to}`}
          onClick={() => onTake(grant)}
        >
          Take away
        </Button>
      ),
    },
  ];
}

const words = (grant: Grant) => Object.values(heldOf(grant)).join(" ");

export function GrantsPage() {
  const { data, error, refetch } = useAll("grants");
  const [taken, setTaken] = useState<Grant>();
  const [shown] = useState(() => columns(setTaken));
  const give = (
    <>
      <ButtonLink to="/access">Who may do what?</ButtonLink>
      <ButtonLink to="/grants/new" look="primary">
        Give a role
      </ButtonLink>
    </>
  );
  return (
    <Page
      title="Grants"
      lead="A grant gives a person or a group a role at a place. It holds there and below."
      actions={give}
    >
      <ObjectTable
        label="Grants"
        columns={shown}
        rows={data}
        error={error}
        onRetry={refetch}
        getId={({ name }) => name}
        words={words}
        empty={
          <Empty title="You see no grants" actions={give}>
            Nobody gives what they lack: whoever owns a tenant gives roles in it.
          </Empty>
        }
      />
      {taken !== undefined && <TakeGrant held={heldOf(taken)} onClose={() => setTaken(undefined)} />}
    </Page>
  );
}
