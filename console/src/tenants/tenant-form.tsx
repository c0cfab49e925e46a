// Makes a tenant, or changes one.

import { useParams, useSearchParams } from "react-router";
import { NameFields } from "../objects/name-fields";
import { objectName } from "../objects/names";
import { ObjectForm } from "../objects/object-form";
import { useAll, useOne } from "../objects/objects";
import { OnePage } from "../objects/one-page";
import { SelectField, TextField } from "../ui/field";
import { Loading, Page } from "../ui/page";
import { optionalCount, optionalQuantity } from "../ui/quantity";
import { subtree, type Tenant } from "./tenant";
import { typedOf, wantedOf } from "./tenant-spec";

export function NewTenantPage() {
  const parent = useSearchParams()[0].get("parent") ?? "";
  const { isPending } = useAll("tenants");
  return (
    <Page title="Make a tenant" lead="A quota holds for the tenant and all below it together.">
      {/* The choice of the tenant above needs all of them. */}
      {isPending ? <Loading label="The form is on its way" /> : <TenantForm parent={parent} />}
    </Page>
  );
}

export function EditTenantPage() {
  const { name = "" } = useParams();
  const query = useOne("tenants", name);
  return (
    <OnePage title={`Edit ${name}`} noun="tenants" query={query}>
      {(tenant) => <TenantForm tenant={tenant} />}
    </OnePage>
  );
}

function TenantForm({ tenant, parent = "" }: { tenant?: Tenant; parent?: string }) {
  const tenants = useAll("tenants").data ?? [];
  const within = tenant === undefined ? new Set<string>() : subtree(tenants, tenant.name);
  return (
    <ObjectForm
      noun="tenants"
      object={tenant}
      typedOf={(object) => typedOf(object, parent)}
      wantedOf={wantedOf}
    >
      {({ register, formState: { errors } }) => (
        <>
          <div className="grid gap-5 sm:grid-cols-2">
            <NameFields
              name={register("name", objectName)}
              displayName={register("displayName")}
              errors={errors}
              isNew={tenant === undefined}
              hint="Its namespace is called the same. It cannot be changed later."
            />
            <SelectField
              label="Tenant above"
              hint="Its quota counts, too, and its owners look after this one."
              error={errors.parent?.message}
              {...register("parent")}
            >
              <option value="">None: at the top</option>
              {tenants
                .filter(({ name }) => !within.has(name))
                .map(({ name }) => (
                  <option key={name}>{name}</option>
                ))}
            </SelectField>
            <TextField
              label="Kept when it leaves"
              hint="How long it can be taken back, such as 72h."
              error={errors.deletionGracePeriod?.message}
              {...register("deletionGracePeriod", {
                pattern: { value: /^(\d+(h|m|s))+$/, message: "Hours, minutes, seconds, such as 72h." },
              })}
            />
          </div>
          <fieldset className="grid gap-5 rounded-lg border border-line px-4 py-4 sm:grid-cols-2">
            <legend className="px-1 text-sm font-semibold">Quota: empty is no limit</legend>
            <TextField
              label="Clusters"
              inputMode="numeric"
              error={errors.clusters?.message}
              {...register("clusters", optionalCount)}
            />
            <TextField
              label="Pods of control planes"
              inputMode="numeric"
              error={errors.controlPlaneReplicas?.message}
              {...register("controlPlaneReplicas", optionalCount)}
            />
            <TextField
              label="CPU of control planes"
              placeholder="8"
              error={errors.cpu?.message}
              {...register("cpu", optionalQuantity)}
            />
            <TextField
              label="Memory of control planes"
              placeholder="16Gi"
              error={errors.memory?.message}
              {...register("memory", optionalQuantity)}
            />
            <TextField
              label="Workers"
              inputMode="numeric"
              error={errors.workers?.message}
              {...register("workers", optionalCount)}
            />
            <TextField
              label="Versions of Kubernetes"
              placeholder="v1.35, v1.36"
              error={errors.versions?.message}
              {...register("versions")}
            />
            <TextField
              label="Data stores"
              hint="Clusters must name one of them then."
              error={errors.dataStores?.message}
              {...register("dataStores")}
            />
          </fieldset>
        </>
      )}
    </ObjectForm>
  );
}
