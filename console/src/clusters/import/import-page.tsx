// Brings in a cluster that runs elsewhere: a name first, then one line to run there.

import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { useSearchParams } from "react-router";
import { answer, hub } from "../../api/hub";
import { IdempotencyKeys } from "../../api/idempotency";
import { Button, ButtonLink } from "../../ui/button";
import { TextField } from "../../ui/field";
import { Loading, Page } from "../../ui/page";
import { ProblemPanel } from "../../ui/problem-panel";
import { clusterName } from "../rules";
import { TenantField } from "../tenant-field";
import { useTenants } from "../tenants";
import { ImportSteps } from "./import-steps";

export function ImportPage() {
  const [query, setQuery] = useSearchParams();
  const tenants = useTenants();
  // In the address, so that the page shows how far it is after it is loaded anew.
  const name = query.get("cluster");
  return (
    <Page
      title="Import a cluster"
      lead="Any conformant cluster. Its agent dials out to the hub: no port of the cluster is opened."
    >
      <div className="max-w-3xl rounded-xl border border-line bg-surface p-5">
        {name !== null ? (
          <ImportSteps name={name} />
        ) : tenants === undefined ? (
          <Loading label="The form is on its way" />
        ) : (
          <ImportForm tenants={tenants} onMade={(made) => setQuery({ cluster: made }, { replace: true })} />
        )}
      </div>
    </Page>
  );
}

interface Typed {
  name: string;
  displayName: string;
  tenant: string;
}

function ImportForm({ tenants, onMade }: { tenants: readonly string[]; onMade: (name: string) => void }) {
  const [keys] = useState(() => new IdempotencyKeys());
  const { register, handleSubmit, formState } = useForm<Typed>({
    defaultValues: { name: "", displayName: "", tenant: "" },
  });
  const { errors } = formState;
  const make = useMutation({
    mutationFn: ({ name, displayName, tenant }: Typed) => {
      const spec = {
        ...(tenant === "" ? {} : { tenant }),
        ...(displayName.trim() === "" ? {} : { displayName: displayName.trim() }),
      };
      const body = { name, spec, labels: {} };
      return answer(
        hub.POST("/api/v1/imports", { params: { header: { "Idempotency-Key": keys.of(body) } }, body }),
      );
    },
    onSuccess: ({ name }) => onMade(name),
  });
  return (
    <form onSubmit={handleSubmit((typed) => make.mutate(typed))} className="flex flex-col gap-5" noValidate>
      <TextField
        label="Name"
        hint="By which the hub knows it; it cannot be changed."
        autoFocus
        spellCheck={false}
        error={errors.name?.message}
        {...register("name", clusterName)}
      />
      <TextField label="Name for people" hint="May be empty." {...register("displayName")} />
      <TenantField
        tenants={tenants}
        none="The platform"
        hint="Whose it is: that tenant's people get in by their grants."
        registration={register("tenant")}
      />
      <ProblemPanel error={make.error} />
      <div className="flex gap-2">
        <Button type="submit" look="primary" isBusy={make.isPending}>
          Go on
        </Button>
        <ButtonLink to="/clusters">Cancel</ButtonLink>
      </div>
    </form>
  );
}
