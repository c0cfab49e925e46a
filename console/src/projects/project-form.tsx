// Makes a project, or changes one.

import { useParams, useSearchParams } from "react-router";
import { TenantField } from "../clusters/tenant-field";
import { useTenants } from "../clusters/tenants";
import { NameFields } from "../objects/name-fields";
import { objectName } from "../objects/names";
import { ObjectForm } from "../objects/object-form";
import { type Shown, useOne, type Wanted } from "../objects/objects";
import { OnePage } from "../objects/one-page";
import { AreaField } from "../ui/field";
import { Loading, Page } from "../ui/page";
import { amountOf } from "../ui/quantity";

type Project = Shown<"projects">;

interface Typed {
  name: string;
  displayName: string;
  tenant: string;
  /** A line for each: cluster/namespace. */
  namespaces: string;
  /** A line for each: name=amount. */
  quota: string;
}

export function lines(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
}

function typedOf(project: Project | undefined, tenant: string): Typed {
  const { name = "", spec } = project ?? {};
  return {
    name,
    displayName: spec?.displayName ?? "",
    tenant: spec?.tenant ?? tenant,
    namespaces: (spec?.namespaces ?? [])
      .map(({ cluster, namespace }) => `${cluster}/${namespace}`)
      .join("\n"),
    quota: Object.entries(spec?.quota ?? {})
      .map(([what, amount]) => `${what}=${amount}`)
      .join("\n"),
  };
}

function wantedOf(typed: Typed, project: Project | undefined): Wanted<"projects"> {
  const pairs = lines(typed.quota).map((line) => line.split("=").map((part) => part.trim()));
  return {
    name: typed.name.trim(),
    labels: project?.labels ?? {},
    spec: {
      ...project?.spec,
      tenant: typed.tenant,
      displayName: typed.displayName.trim() === "" ? null : typed.displayName.trim(),
      namespaces: lines(typed.namespaces).map((line) => {
        const [cluster = "", namespace = ""] = line.split("/");
        return { cluster: cluster.trim(), namespace: namespace.trim() };
      }),
      quota: Object.fromEntries(pairs),
    },
  };
}

const namespaceLines = {
  validate: (text: string) =>
    lines(text).every((line) => /^[^/]+\/[^/]+$/.test(line)) || "Each line is cluster/namespace.",
};

const quotaLines = {
  validate: (text: string) =>
    lines(text).every((line) => amountOf(line.split("=")[1]) !== undefined) ||
    "Each line is a name and an amount, such as requests.cpu=8.",
};

export function NewProjectPage() {
  const [query] = useSearchParams();
  const tenants = useTenants();
  return (
    <Page title="Make a project" lead="Its members get into its namespaces, and into nothing else.">
      {tenants === undefined ? (
        <Loading label="The form is on its way" />
      ) : (
        <ProjectForm tenant={query.get("tenant") ?? ""} tenants={tenants} />
      )}
    </Page>
  );
}

export function EditProjectPage() {
  const { name = "" } = useParams();
  const query = useOne("projects", name);
  return (
    <OnePage title={`Edit ${name}`} noun="projects" query={query}>
      {(project) => <ProjectForm project={project} tenants={[project.spec.tenant]} />}
    </OnePage>
  );
}

interface ProjectFormProps {
  project?: Project;
  tenant?: string;
  tenants: readonly string[];
}

function ProjectForm({ project, tenant = "", tenants }: ProjectFormProps) {
  return (
    <ObjectForm
      noun="projects"
      object={project}
      typedOf={(object) => typedOf(object, tenant)}
      wantedOf={wantedOf}
    >
      {({ register, formState: { errors } }) => (
        <>
          <NameFields
            name={register("name", objectName)}
            displayName={register("displayName")}
            errors={errors}
            isNew={project === undefined}
          />
          <TenantField
            tenants={tenants}
            hint="Whose it is. It cannot be changed later."
            error={errors.tenant?.message}
            registration={register("tenant", { required: "Choose whose it is." })}
          />
          <AreaField
            label="Namespaces"
            hint="A line for each: the cluster's id, a slash, the namespace. Such as acme.production-01/checkout."
            error={errors.namespaces?.message}
            {...register("namespaces", namespaceLines)}
          />
          <AreaField
            label="Quota of each namespace"
            hint="A line for each, as in a ResourceQuota: requests.cpu=8, limits.memory=16Gi, pods=60."
            error={errors.quota?.message}
            {...register("quota", quotaLines)}
          />
        </>
      )}
    </ObjectForm>
  );
}
