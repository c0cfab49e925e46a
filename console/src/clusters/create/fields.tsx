// The fields of a cluster to be made.

import { useId } from "react";
import type { UseFormReturn } from "react-hook-form";
import { SelectField, TextField } from "../../ui/field";
import { clusterName, clusterVersion, labelList } from "../rules";
import { TenantField } from "../tenant-field";
import { hintOf, offered, useVersions } from "../versions";
import type { Typed } from "./new-cluster";

interface FieldsProps {
  form: UseFormReturn<Typed>;
  tenants: readonly string[];
}

export function Fields({ form, tenants }: FieldsProps) {
  const { register, formState } = form;
  const { errors } = formState;
  const versions = useId();
  const tenant = form.watch("tenant");
  // One that is being typed is not asked about.
  const minors = useVersions(tenants.includes(tenant) ? tenant : "") ?? [];
  return (
    <>
      <TextField
        label="Name"
        hint="Unique in its tenant."
        autoFocus
        spellCheck={false}
        error={errors.name?.message}
        {...register("name", clusterName)}
      />
      <TenantField
        tenants={tenants}
        hint="Whose it is: its quota counts, and its people get in."
        error={errors.tenant?.message}
        registration={register("tenant", { required: "Choose whose it is." })}
      />
      <TextField
        label="Version of Kubernetes"
        hint={hintOf(minors)}
        list={versions}
        error={errors.version?.message}
        {...register("version", clusterVersion)}
      />
      <datalist id={versions}>
        {offered(minors).map((version) => (
          <option key={version} value={version} />
        ))}
      </datalist>
      <SelectField
        label="Pods of the control plane"
        hint="Two and more stay reachable while one is replaced."
        {...register("replicas", { valueAsNumber: true })}
      >
        {[1, 2, 3].map((count) => (
          <option key={count} value={count}>
            {count}
          </option>
        ))}
      </SelectField>
      <details className="rounded-lg border border-line px-4 py-3">
        <summary className="cursor-pointer text-sm font-medium">More</summary>
        <div className="mt-4 flex flex-col gap-5">
          <SelectField label="How it is reached" {...register("serviceType")}>
            <option value="LoadBalancer">An address of its own (LoadBalancer)</option>
            <option value="NodePort">A port of the hub's nodes (NodePort)</option>
            <option value="ClusterIP">From inside the hub's cluster only (ClusterIP)</option>
          </SelectField>
          <TextField
            label="Data store"
            hint="One with room is chosen if this is empty."
            spellCheck={false}
            {...register("dataStore")}
          />
          <TextField
            label="Labels"
            hint="Such as tier=gold, region=north."
            spellCheck={false}
            error={errors.labels?.message}
            {...register("labels", labelList)}
          />
        </div>
      </details>
    </>
  );
}
