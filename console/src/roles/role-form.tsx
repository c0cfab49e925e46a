// Makes a role, or changes one: a line for each rule.

import { useParams } from "react-router";
import { TenantField } from "../clusters/tenant-field";
import { useTenants } from "../clusters/tenants";
import { NameFields } from "../objects/name-fields";
import { objectName } from "../objects/names";
import { ObjectForm } from "../objects/object-form";
import { type Shown, useOne, type Wanted } from "../objects/objects";
import { OnePage } from "../objects/one-page";
import { AreaField } from "../ui/field";
import { Loading, Page } from "../ui/page";
import { readRules, writeRules } from "./rule-lines";

type Role = Shown<"roles">;

interface Typed {
  name: string;
  displayName: string;
  tenant: string;
  hub: string;
  cluster: string;
}

function typedOf(role: Role | undefined): Typed {
  const { name = "", spec = {} } = role ?? {};
  return {
    name,
    displayName: spec.displayName ?? "",
    tenant: spec.tenant ?? "",
    hub: writeRules(spec.hub ?? []),
    cluster: writeRules(spec.cluster ?? []),
  };
}

function wantedOf(typed: Typed, role: Role | undefined): Wanted<"roles"> {
  return {
    name: typed.name.trim(),
    labels: role?.labels ?? {},
    spec: {
      displayName: typed.displayName.trim() === "" ? null : typed.displayName.trim(),
      tenant: typed.tenant === "" ? null : typed.tenant,
      hub: readRules(typed.hub) ?? [],
      cluster: readRules(typed.cluster) ?? [],
    },
  };
}

const ruleLines = {
  validate: (text: string) =>
    readRules(text) !== undefined ||
    "Each line is verbs, a colon, resources, such as get,list: pods,pods/log.",
};

export function NewRolePage() {
  const tenants = useTenants();
  return (
    <Page title="Make a role" lead="It may allow no more than you may do yourself.">
      {tenants === undefined ? <Loading label="The form is on its way" /> : <RoleForm tenants={tenants} />}
    </Page>
  );
}

export function EditRolePage() {
  const { name = "" } = useParams();
  const tenants = useTenants();
  const query = useOne("roles", name);
  return (
    <OnePage title={`Edit ${name}`} noun="roles" query={query}>
      {(role) =>
        tenants === undefined ? (
          <Loading label="The form is on its way" />
        ) : (
          <RoleForm role={role} tenants={tenants} />
        )
      }
    </OnePage>
  );
}

function RoleForm({ role, tenants }: { role?: Role; tenants: readonly string[] }) {
  const hint =
    "A line for each rule: verbs, a colon, resources, and in brackets the API groups and names if not all.";
  return (
    <ObjectForm noun="roles" object={role} typedOf={typedOf} wantedOf={wantedOf}>
      {({ register, formState: { errors } }) => (
        <>
          <NameFields
            name={register("name", objectName)}
            displayName={register("displayName")}
            errors={errors}
            isNew={role === undefined}
          />
          <TenantField
            tenants={tenants}
            none="All tenants"
            hint="In which tenant, and below it, it may be given."
            error={errors.tenant?.message}
            registration={register("tenant")}
          />
          <AreaField
            label="With the hub's objects"
            placeholder={"get,list,watch,connect: clusters\nget,list: projects"}
            hint={hint}
            error={errors.hub?.message}
            {...register("hub", ruleLines)}
          />
          <AreaField
            label="Inside clusters"
            placeholder={"get,list,watch: pods,pods/log\nget,list,patch: deployments (apps)"}
            hint="The same. Such as get,patch: deployments (apps), or get: configmaps [settings]."
            error={errors.cluster?.message}
            {...register("cluster", ruleLines)}
          />
        </>
      )}
    </ObjectForm>
  );
}
