// Gives a hosted cluster to another tenant. The list of clusters shows how far it is.

import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { useNavigate } from "react-router";
import { answer, hub } from "../../api/hub";
import { IdempotencyKeys } from "../../api/idempotency";
import { Problem } from "../../api/problem";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { TextField } from "../../ui/field";
import { Loading } from "../../ui/page";
import { ProblemPanel } from "../../ui/problem-panel";
import { toast } from "../../ui/toast";
import { clusterName } from "../rules";
import { TenantField } from "../tenant-field";
import { useTenants } from "../tenants";
import type { ClusterDialogProps } from "./confirmed";

export function TransferDialog({ cluster, onClose }: ClusterDialogProps) {
  const navigate = useNavigate();
  const [keys] = useState(() => new IdempotencyKeys());
  const tenants = useTenants();
  const typed = { tenant: "", name: cluster.name };
  const { register, handleSubmit, setError, formState } = useForm({ defaultValues: typed });
  const { errors } = formState;
  const transfer = useMutation({
    mutationFn: ({ tenant, name }: typeof typed) => {
      const body = { tenant: tenant.trim(), name: name.trim() };
      const header = { "Idempotency-Key": keys.of(body) };
      const params = { path: { name: cluster.id }, header };
      return answer(hub.POST("/api/v1/clusters/{name}/transfer", { params, body }));
    },
    onSuccess: ({ id }) => {
      toast.done(`${cluster.name} is on its way`, `It will be ${id}; the list shows how far it is.`);
      onClose();
      navigate("/clusters");
    },
    onError: (error) => {
      for (const { field, detail } of Problem.from(error).faults) {
        if (field === "tenant" || field === "name") {
          setError(field, { message: detail });
        }
      }
    },
  });
  return (
    <Dialog
      isOpen
      onClose={onClose}
      isKept
      title={`Give ${cluster.name} to another tenant`}
      description="It goes on there with the same contents, authorities and keys, under another id."
    >
      {/* What is chosen from must not take the place of what somebody types in. */}
      {tenants === undefined ? (
        <Loading label="Tenants are on their way" rows={4} />
      ) : (
        <form
          className="flex flex-col gap-4"
          onSubmit={handleSubmit((given) => transfer.mutate(given))}
          noValidate
        >
          <TenantField
            tenants={tenants.filter((tenant) => tenant !== cluster.tenant)}
            hint="You must be allowed to create clusters there. Its quotas are asked first."
            error={errors.tenant?.message}
            registration={register("tenant", { required: "Name the tenant that gets it" })}
          />
          <TextField
            label="Name there"
            spellCheck={false}
            error={errors.name?.message}
            {...register("name", clusterName)}
          />
          <p className="text-sm text-muted">
            Its API server is away for a moment. Grants for this cluster alone do not go along, nor do its
            backups' schedules and join tokens. If something is in the way, it goes on as it was.
          </p>
          <ProblemPanel error={transfer.error} />
          <Button type="submit" look="primary" className="self-start" isBusy={transfer.isPending}>
            Give it away
          </Button>
        </form>
      )}
    </Dialog>
  );
}
