// One tenant: how it stands, its quota and use, who has which role, what is below it.

import { Link, useParams } from "react-router";
import { Members } from "../grants/members";
import { pathTo, useAll, useOne } from "../objects/objects";
import { OnePage } from "../objects/one-page";
import { Badge } from "../ui/badge";
import { ButtonLink } from "../ui/button";
import { Facts } from "../ui/facts";
import { Meter } from "../ui/meter";
import { Section } from "../ui/page";
import { Ago } from "../ui/time";
import { limitsOf, stateOf, statusOf, type Tenant } from "./tenant";
import { TenantActions } from "./tenant-actions";

export function TenantPage() {
  const { name = "" } = useParams();
  const query = useOne("tenants", name);
  return (
    <OnePage
      title={name}
      query={query}
      noun="tenants"
      lead={(tenant) => <Lead tenant={tenant} />}
      actions={(tenant) => <TenantActions key={tenant.name} tenant={tenant} />}
    >
      {(tenant) => (
        <div className="grid items-start gap-5 lg:grid-cols-2">
          <div className="flex flex-col gap-5">
            <Told tenant={tenant} />
            <Section title="Quota and use">
              <Quota tenant={tenant} />
            </Section>
            <Section title="Facts">
              <TenantFacts tenant={tenant} />
            </Section>
          </div>
          <div className="flex flex-col gap-5">
            <Members noun="tenants" name={name} />
            <Below name={name} />
          </div>
        </div>
      )}
    </OnePage>
  );
}

function Lead({ tenant }: { tenant: Tenant }) {
  const { tone, label } = stateOf(tenant);
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
      <Badge tone={tone}>{label}</Badge>
      {tenant.spec.displayName}
      <nav aria-label="Tenants above" className="flex flex-wrap gap-1 empty:hidden">
        {(statusOf(tenant).above ?? []).map((above) => (
          <span key={above}>
            <Link to={pathTo("tenants", above)} className="text-accent underline">
              {above}
            </Link>{" "}
            / {above === tenant.spec.parent && tenant.name}
          </span>
        ))}
      </nav>
    </div>
  );
}

function Told({ tenant }: { tenant: Tenant }) {
  const { tone, told } = stateOf(tenant);
  const { leavesAt } = statusOf(tenant);
  if (told === undefined) {
    return null;
  }
  return (
    <div
      role="status"
      className={`rounded-xl border px-4 py-3 text-sm ${tone === "bad" ? "border-bad bg-bad-soft" : "border-warn bg-warn-soft"}`}
    >
      <p className="wrap-anywhere">{told}</p>
      {leavesAt !== undefined && (
        <p className="mt-1 font-medium">
          It is deleted <Ago time={leavesAt} />.
        </p>
      )}
    </div>
  );
}

function Quota({ tenant }: { tenant: Tenant }) {
  const limits = limitsOf(tenant);
  const { versions = [], dataStores = [] } = tenant.spec.quota ?? {};
  return (
    <div className="flex flex-col gap-4">
      {limits.length === 0 && (
        <p className="text-sm text-muted">
          Nothing is limited here; what tenants above may have is the limit. Edit the tenant to give it a
          quota.
        </p>
      )}
      {limits.map((limit) => (
        <Meter key={limit.label} {...limit} />
      ))}
      <Facts
        facts={[
          ["Versions", versions.length === 0 ? "Any" : versions.join(", ")],
          ["Data stores", dataStores.length === 0 ? "Any" : dataStores.join(", ")],
        ]}
      />
    </div>
  );
}

function TenantFacts({ tenant }: { tenant: Tenant }) {
  const { own, total } = statusOf(tenant);
  const { name, spec, created } = tenant;
  return (
    <Facts
      facts={[
        ["Name", name],
        ["Above it", spec.parent ?? "Nobody: it is at the top"],
        [
          "Clusters",
          <Link
            key="clusters"
            to={`/clusters?tenant=${encodeURIComponent(name)}`}
            className="text-accent underline"
          >
            {own?.clusters ?? 0} of its own, {total?.clusters ?? 0} with those below
          </Link>,
        ],
        ["Kept when it leaves", spec.deletionGracePeriod],
        ["Made", created == null ? undefined : <Ago key="made" time={created} />],
      ]}
    />
  );
}

function Below({ name }: { name: string }) {
  const tenants = (useAll("tenants").data ?? []).filter(({ spec }) => spec.parent === name);
  const projects = (useAll("projects").data ?? []).filter(({ spec }) => spec.tenant === name);
  const query = `tenant=${encodeURIComponent(name)}`;
  return (
    <>
      <Section
        title="Tenants below"
        actions={<ButtonLink to={`/tenants/new?parent=${encodeURIComponent(name)}`}>Make one</ButtonLink>}
      >
        <Names
          noun="tenants"
          objects={tenants}
          none="None. Parts of an organisation can have a quota and people of their own."
        />
      </Section>
      <Section title="Projects" actions={<ButtonLink to={`/projects/new?${query}`}>Make one</ButtonLink>}>
        <Names
          noun="projects"
          objects={projects}
          none="None. A project gives people some namespaces of clusters, not whole clusters."
        />
      </Section>
    </>
  );
}

interface NamesProps {
  noun: "tenants" | "projects";
  objects: readonly { name: string; spec: { displayName?: string | null } }[];
  none: string;
}

function Names({ noun, objects, none }: NamesProps) {
  if (objects.length === 0) {
    return <p className="text-sm text-muted">{none}</p>;
  }
  return (
    <ul className="flex flex-col gap-1.5 text-sm">
      {objects.map(({ name, spec }) => (
        <li key={name} className="wrap-anywhere">
          <Link to={pathTo(noun, name)} className="font-medium text-accent underline">
            {name}
          </Link>{" "}
          <span className="text-muted">{spec.displayName}</span>
        </li>
      ))}
    </ul>
  );
}
