// Identity providers: who vouches for people.

import { nameColumn } from "../objects/name-column";
import { ObjectTable } from "../objects/object-table";
import { pathTo, type Shown, useAll } from "../objects/objects";
import { ButtonLink } from "../ui/button";
import { Empty, Page } from "../ui/page";
import type { Column } from "../ui/table/columns";

type Provider = Shown<"providers">;

const kindOf = ({ spec }: Provider) => (spec.ldap == null ? "OpenID Connect" : "LDAP");
const addressOf = ({ spec }: Provider) => spec.oidc?.issuer ?? spec.ldap?.url ?? "—";

const columns: readonly Column<Provider>[] = [
  nameColumn("providers", "Provider", ({ spec }) => spec.displayName),
  { id: "kind", title: "Kind", width: "10rem", sortBy: kindOf, cell: kindOf },
  { id: "address", title: "Address", from: "tablet", sortBy: addressOf, cell: addressOf },
  {
    id: "tenant",
    title: "Vouches for",
    from: "desktop",
    sortBy: ({ spec }) => spec.tenant ?? "",
    cell: ({ spec }) => (spec.tenant == null ? "Everybody" : `Tenant ${spec.tenant}`),
  },
];

const words = (provider: Provider) =>
  `${provider.name} ${provider.spec.displayName ?? ""} ${addressOf(provider)}`;

export function ProvidersPage() {
  const { data, error, refetch } = useAll("providers");
  const create = (
    <>
      <ButtonLink to="/providers/new?kind=ldap">Add a directory</ButtonLink>
      <ButtonLink to="/providers/new?kind=oidc" look="primary">
        Add OpenID Connect
      </ButtonLink>
    </>
  );
  return (
    <Page
      title="Identity providers"
      lead="Who vouches for people beside the hub's own passwords, and tells their groups."
      actions={create}
    >
      <ObjectTable
        label="Identity providers"
        columns={columns}
        rows={data}
        error={error}
        onRetry={refetch}
        getId={({ name }) => name}
        words={words}
        pathOf={({ name }) => pathTo("providers", name)}
        empty={
          <Empty title="People sign in with passwords of this hub only" actions={create}>
            With OpenID Connect they sign in where they always do; with a directory (LDAP, Active Directory)
            with name and password of their company. Groups can be given roles.
          </Empty>
        }
      />
    </Page>
  );
}
