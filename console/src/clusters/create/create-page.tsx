// Makes a hosted cluster: a name and a tenant are enough, all else has a default that works.

import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { useNavigate, useSearchParams } from "react-router";
import { answer, hub } from "../../api/hub";
import { IdempotencyKeys } from "../../api/idempotency";
import { expectCluster } from "../../live/clusters";
import { useAll } from "../../objects/objects";
import { Button, ButtonLink } from "../../ui/button";
import { SelectField } from "../../ui/field";
import { Loading, Page } from "../../ui/page";
import { ProblemPanel } from "../../ui/problem-panel";
import { toast } from "../../ui/toast";
import { pathOf } from "../columns";
import { useTenants } from "../tenants";
import { useVersions } from "../versions";
import { Fields } from "./fields";
import { bodyOf, defaults, type Typed } from "./new-cluster";
import { Preview } from "./preview";
import { TemplateForm } from "./template-form";

export function CreatePage() {
  const tenants = useTenants();
  const templates = useAll("templates");
  const versions = useVersions();
  const [query, setQuery] = useSearchParams();
  const chosen = templates.data?.find(({ name }) => name === query.get("template"));
  const lead =
    "Its control plane runs as pods of the hub's own cluster. Machines join it from anywhere, later.";
  // Defaults depend on all of it, and must not change under what somebody types.
  const isLoading = tenants === undefined || templates.isPending || versions === undefined;
  return (
    <Page title="Create a cluster" lead={lead}>
      {isLoading ? (
        <Loading label="The form is on its way" rows={8} />
      ) : (
        <>
          {(templates.data ?? []).length > 0 && (
            <div className="max-w-md">
              <SelectField
                label="Begin with"
                value={chosen?.name ?? ""}
                onChange={({ target }) => setQuery(target.value === "" ? {} : { template: target.value })}
              >
                <option value="">Nothing: say all of it yourself</option>
                {templates.data?.map(({ name, spec }) => (
                  <option key={name} value={name}>
                    {spec.displayName ?? name}
                  </option>
                ))}
              </SelectField>
            </div>
          )}
          {chosen === undefined ? (
            <CreateForm tenants={tenants} initial={defaults(versions, tenants)} />
          ) : (
            <TemplateForm key={chosen.name} template={chosen} tenants={tenants} />
          )}
        </>
      )}
    </Page>
  );
}

function CreateForm({ tenants, initial }: { tenants: readonly string[]; initial: Typed }) {
  const navigate = useNavigate();
  const [keys] = useState(() => new IdempotencyKeys());
  const form = useForm<Typed>({ defaultValues: initial });
  const create = useMutation({
    mutationFn: (typed: Typed) => {
      const body = bodyOf(typed);
      const params = { header: { "Idempotency-Key": keys.of(body) } };
      return answer(hub.POST("/api/v1/clusters", { params, body }));
    },
    onSuccess: ({ id }, { name }) => {
      toast.done(`${name} is being made`, "It is ready in seconds; this page shows how far it is.");
      expectCluster(id);
      navigate(pathOf({ id }));
    },
  });
  return (
    <form
      onSubmit={form.handleSubmit((typed) => create.mutate(typed))}
      className="grid items-start gap-5 lg:grid-cols-2"
      noValidate
    >
      <div className="flex flex-col gap-5 rounded-xl border border-line bg-surface p-5">
        <Fields form={form} tenants={tenants} />
        <ProblemPanel error={create.error} />
        <div className="flex gap-2">
          <Button type="submit" look="primary" isBusy={create.isPending}>
            Create
          </Button>
          <ButtonLink to="/clusters">Cancel</ButtonLink>
        </div>
      </div>
      <Preview control={form.control} />
    </form>
  );
}
