// Makes a cluster from a template: what its version asks, and what comes of the answers.

import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { type UseFormReturn, useForm, useWatch } from "react-hook-form";
import { useNavigate } from "react-router";
import { answer, hub } from "../../api/hub";
import { IdempotencyKeys } from "../../api/idempotency";
import { Problem } from "../../api/problem";
import { expectCluster } from "../../live/clusters";
import { ParameterFields, tellParameters } from "../../templates/parameter-fields";
import { Rendered } from "../../templates/rendered";
import {
  defaultsOf,
  isComplete,
  newest,
  type Template,
  type TypedParameters,
  valuesOf,
  versionOf,
} from "../../templates/template";
import { Button, ButtonLink } from "../../ui/button";
import { SelectField, TextField } from "../../ui/field";
import { ProblemPanel } from "../../ui/problem-panel";
import { toast } from "../../ui/toast";
import { pathOf } from "../columns";
import { clusterName } from "../rules";
import { TenantField } from "../tenant-field";

interface Typed {
  name: string;
  tenant: string;
  version: string;
  parameters: TypedParameters;
}

interface TemplateFormProps {
  template: Template;
  tenants: readonly string[];
}

export function TemplateForm({ template, tenants }: TemplateFormProps) {
  const navigate = useNavigate();
  const [keys] = useState(() => new IdempotencyKeys());
  const first = newest(template.spec.versions) ?? template.spec.versions.at(-1);
  const form = useForm<Typed>({
    defaultValues: {
      name: "",
      tenant: tenants.length === 1 ? (tenants[0] ?? "") : "",
      version: first?.version ?? "",
      parameters: defaultsOf(first?.parameters ?? []),
    },
  });
  const typed = useWatch({ control: form.control }) as Typed;
  const version = versionOf(template, typed.version);
  const parameters = version?.parameters ?? [];
  const values = valuesOf(parameters, typed.parameters);
  const create = useMutation({
    mutationFn: ({ name, tenant }: Typed) => {
      const body = {
        name: name.trim(),
        tenant: tenant.trim(),
        template: {
          name: template.name,
          version: typed.version,
          parameters: values,
        },
        labels: {},
      };
      const params = { header: { "Idempotency-Key": keys.of(body) } };
      return answer(hub.POST("/api/v1/clusters", { params, body }));
    },
    onSuccess: ({ id }, { name }) => {
      toast.done(`${name} is being made`, "It is ready in seconds; this page shows how far it is.");
      expectCluster(id);
      navigate(pathOf({ id }));
    },
    onError: (error) => tellParameters(form, parameters, Problem.from(error).faults),
  });
  return (
    <form
      onSubmit={form.handleSubmit((given) => create.mutate(given))}
      className="grid items-start gap-5 lg:grid-cols-2"
      noValidate
    >
      <div className="flex flex-col gap-5 rounded-xl border border-line bg-surface p-5">
        {template.spec.description != null && (
          <p className="text-sm text-muted">{template.spec.description}</p>
        )}
        <Place form={form} tenants={tenants} />
        <VersionField form={form} template={template} />
        <ParameterFields form={form} parameters={parameters} />
        <ProblemPanel error={create.error} />
        <div className="flex gap-2">
          <Button type="submit" look="primary" isBusy={create.isPending}>
            Create
          </Button>
          <ButtonLink to="/clusters">Cancel</ButtonLink>
        </div>
      </div>
      <Rendered
        isReady={isComplete(parameters, typed.parameters)}
        trial={{
          template: template.name,
          version: typed.version,
          name: typed.name.trim(),
          parameters: values,
        }}
      />
    </form>
  );
}

function Place({ form, tenants }: { form: UseFormReturn<Typed>; tenants: readonly string[] }) {
  const { errors } = form.formState;
  return (
    <>
      <TextField
        label="Name"
        hint="Unique in its tenant."
        autoFocus
        spellCheck={false}
        error={errors.name?.message}
        {...form.register("name", clusterName)}
      />
      <TenantField
        tenants={tenants}
        hint="Whose it is: its quota counts, and its people get in."
        error={errors.tenant?.message}
        registration={form.register("tenant", { required: "Choose whose it is." })}
      />
    </>
  );
}

/** Another version asks other questions: what was answered stays where both ask the same. */
function VersionField({ form, template }: { form: UseFormReturn<Typed>; template: Template }) {
  const { versions } = template.spec;
  if (versions.length < 2) {
    return null;
  }
  return (
    <SelectField
      label="Version of the template"
      {...form.register("version", {
        onChange: ({ target }: { target: HTMLSelectElement }) => {
          const next = versionOf(template, target.value)?.parameters ?? [];
          form.setValue("parameters", { ...defaultsOf(next), ...form.getValues("parameters") });
        },
      })}
    >
      {versions.toReversed().map(({ version, deprecated }) => (
        <option key={version} value={version}>
          {deprecated == null ? version : `${version} (deprecated)`}
        </option>
      ))}
    </SelectField>
  );
}
