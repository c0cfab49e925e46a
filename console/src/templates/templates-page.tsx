// The templates that the user may make clusters from, or looks after.

import { nameColumn } from "../objects/name-column";
import { ObjectList } from "../objects/object-list";
import { Badge } from "../ui/badge";
import type { Column } from "../ui/table/columns";
import { newest, type Template } from "./template";

const columns: readonly Column<Template>[] = [
  nameColumn("templates", "Template", ({ spec }) => spec.description ?? spec.displayName),
  {
    id: "version",
    title: "Newest",
    width: "8rem",
    cell: ({ spec }) => newest(spec.versions)?.version ?? <Badge tone="warn">Deprecated</Badge>,
  },
  {
    id: "tenant",
    title: "Of",
    from: "tablet",
    sortBy: ({ spec }) => spec.tenant ?? "",
    cell: ({ spec }) => spec.tenant ?? "The platform",
  },
  {
    id: "shared",
    title: "For tenants below",
    from: "desktop",
    width: "11rem",
    cell: ({ spec }) => (spec.shareDown === false ? "No" : "Yes"),
  },
];

const words = ({ name, spec }: Template) => `${name} ${spec.displayName ?? ""} ${spec.description ?? ""}`;

export function TemplatesPage() {
  return (
    <ObjectList
      noun="templates"
      title="Templates"
      lead="What clusters have, with a few questions left open."
      columns={columns}
      words={words}
      create={{ to: "/templates/new", label: "Write a template" }}
      empty={{
        title: "There are no templates yet",
        text: "A template says what clusters have and leaves open what you name. People make clusters from it without knowing the rest, and get no more than you allow.",
      }}
    />
  );
}
