// The projects that the user sees.

import { nameColumn } from "../objects/name-column";
import { ObjectList } from "../objects/object-list";
import type { Shown } from "../objects/objects";
import type { Column } from "../ui/table/columns";

type Project = Shown<"projects">;

const columns: readonly Column<Project>[] = [
  nameColumn("projects", "Project", ({ spec }) => spec.displayName),
  { id: "tenant", title: "Tenant", sortBy: ({ spec }) => spec.tenant, cell: ({ spec }) => spec.tenant },
  {
    id: "namespaces",
    title: "Namespaces",
    from: "tablet",
    isNumber: true,
    width: "8rem",
    sortBy: ({ spec }) => spec.namespaces?.length ?? 0,
    cell: ({ spec }) => spec.namespaces?.length ?? 0,
  },
];

const words = ({ name, spec }: Project) => `${name} ${spec.displayName ?? ""} ${spec.tenant}`;

export function ProjectsPage() {
  return (
    <ObjectList
      noun="projects"
      title="Projects"
      lead="Namespaces of clusters, with members of their own."
      columns={columns}
      words={words}
      create={{ to: "/projects/new", label: "Make a project" }}
      empty={{
        title: "There are no projects yet",
        text: "A project gives people some namespaces, in one cluster or several, and not the whole of any. Its quota holds in each of them.",
      }}
    />
  );
}
