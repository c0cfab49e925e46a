// Makes a hosted cluster with the contents of another. The page of the clone shows how far it is.

import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { useNavigate } from "react-router";
import { answer, hub } from "../../api/hub";
import { IdempotencyKeys } from "../../api/idempotency";
import { Problem } from "../../api/problem";
import { expectCluster } from "../../live/clusters";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { TextField } from "../../ui/field";
import { ProblemPanel } from "../../ui/problem-panel";
import { optionalCount } from "../../ui/quantity";
import { toast } from "../../ui/toast";
import { pathOf } from "../columns";
import { clusterName } from "../rules";
import type { ClusterDialogProps } from "./confirmed";

const typed = { name: "", backup: "", port: "" };

export function CloneDialog({ cluster, onClose }: ClusterDialogProps) {
  const navigate = useNavigate();
  const [keys] = useState(() => new IdempotencyKeys());
  const { register, handleSubmit, setError, formState } = useForm({ defaultValues: typed });
  const { errors } = formState;
  const clone = useMutation({
    mutationFn: ({ name, backup, port }: typeof typed) => {
      const body = {
        name: name.trim(),
        backup: backup.trim() || null,
        port: port.trim() === "" ? null : Number(port),
      };
      const header = { "Idempotency-Key": keys.of(body) };
      const params = { path: { name: cluster.id }, header };
      return answer(hub.POST("/api/v1/clusters/{name}/clone", { params, body }));
    },
    onSuccess: ({ id, backup }, { name }) => {
      toast.done(`${name} is being filled`, `From the backup ${backup}; this page shows how far it is.`);
      onClose();
      expectCluster(id);
      navigate(pathOf({ id }));
    },
    onError: (error) => {
      for (const { field, detail } of Problem.from(error).faults) {
        if (field === "name" || field === "backup" || field === "port") {
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
      title={`Clone ${cluster.name}`}
      description="A cluster like it in the same tenant, filled from a backup before its first start."
    >
      <form
        className="flex flex-col gap-4"
        onSubmit={handleSubmit((given) => clone.mutate(given))}
        noValidate
      >
        <TextField
          label="Name of the clone"
          spellCheck={false}
          error={errors.name?.message}
          {...register("name", clusterName)}
        />
        <TextField
          label="Backup"
          hint="The name of one of its TenantBackups. One is taken first if this is empty."
          spellCheck={false}
          error={errors.backup?.message}
          {...register("backup")}
        />
        <TextField
          label="Port"
          hint="Only if the cluster is reached by a port of the nodes: the clone needs another one."
          inputMode="numeric"
          error={errors.port?.message}
          {...register("port", optionalCount)}
        />
        <p className="text-sm text-muted">
          It gets an address, authorities and keys of its own. Quotas are asked before anything is copied;
          workers do not come along.
        </p>
        <ProblemPanel error={clone.error} />
        <Button type="submit" look="primary" className="self-start" isBusy={clone.isPending}>
          Clone
        </Button>
      </form>
    </Dialog>
  );
}
