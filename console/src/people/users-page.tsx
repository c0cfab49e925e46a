// The people that the user looks after.

import { nameColumn } from "../objects/name-column";
import { ObjectList } from "../objects/object-list";
import type { Shown } from "../objects/objects";
import { Badge } from "../ui/badge";
import type { Column } from "../ui/table/columns";

type User = Shown<"users">;

const columns: readonly Column<User>[] = [
  nameColumn("users", "User", ({ spec }) => spec.displayName),
  {
    id: "state",
    title: "State",
    width: "8rem",
    sortBy: ({ spec }) => (spec.disabled === true ? "Disabled" : "Active"),
    cell: ({ spec }) =>
      spec.disabled === true ? <Badge tone="rest">Disabled</Badge> : <Badge tone="ok">Active</Badge>,
  },
  {
    id: "email",
    title: "E-mail",
    from: "tablet",
    sortBy: ({ spec }) => spec.email ?? undefined,
    cell: ({ spec }) => spec.email ?? "—",
  },
  {
    id: "tenant",
    title: "Looked after by",
    from: "desktop",
    sortBy: ({ spec }) => spec.tenant ?? "",
    cell: ({ spec }) => spec.tenant ?? "The platform",
  },
];

const words = ({ name, spec }: User) =>
  `${name} ${spec.displayName ?? ""} ${spec.email ?? ""} ${spec.tenant ?? ""}`;

export function UsersPage() {
  return (
    <ObjectList
      noun="users"
      title="Users"
      lead="People who sign in here. What they may do is said by grants."
      columns={columns}
      words={words}
      create={{ to: "/users/invite", label: "Invite somebody" }}
      empty={{
        title: "You look after nobody yet",
        text: "Invite people one by one, or let them come by a provider of identities.",
      }}
    />
  );
}
