// Sets a label on clusters, or takes one away.

import { useState } from "react";
import { useForm } from "react-hook-form";
import type { Cluster } from "../api/hub";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { TextField } from "../ui/field";
import { counted } from "../ui/format";
import { ProblemPanel } from "../ui/problem-panel";
import { toast } from "../ui/toast";
import { each, label } from "./actions";
import { labelName, labelValue } from "./rules";

interface LabelDialogProps {
  clusters: readonly Cluster[];
  onClose: () => void;
}

export function LabelDialog({ clusters, onClose }: LabelDialogProps) {
  const { register, handleSubmit, formState } = useForm({
    defaultValues: { name: "", value: "", isGone: false },
  });
  const [error, setError] = useState<unknown>();
  const submit = handleSubmit(async ({ name, value, isGone }) => {
    const labels = { [name]: isGone ? null : value };
    const { done, failed } = await each(
      clusters,
      (cluster) => label(cluster, labels),
      () => undefined,
    );
    setError(failed[0]?.error);
    if (failed.length === 0) {
      toast.done(`${done.length} labelled`);
      onClose();
    }
  });
  return (
    <Dialog isOpen onClose={onClose} title="Label" description={counted(clusters.length, "cluster")}>
      <form onSubmit={submit} className="flex flex-col gap-4" noValidate>
        <ProblemPanel error={error} />
        <TextField
          label="Name"
          hint="Such as tier or example.com/team."
          error={formState.errors.name?.message}
          {...register("name", labelName)}
        />
        <TextField
          label="Value"
          hint="May be empty."
          error={formState.errors.value?.message}
          {...register("value", labelValue)}
        />
        <label className="flex items-center gap-2 text-sm">
          <input type="checkbox" className="size-4 accent-accent" {...register("isGone")} />
          Take this label away
        </label>
        <Button type="submit" look="primary" isBusy={formState.isSubmitting} className="self-end">
          Label
        </Button>
      </form>
    </Dialog>
  );
}
