// Makes a key for a program, and shows it once.

import { useMutation } from "@tanstack/react-query";
import { useForm } from "react-hook-form";
import { answer, hub } from "../api/hub";
import { Button } from "../ui/button";
import { CopyText } from "../ui/copy";
import { Dialog } from "../ui/dialog";
import { CheckField, SelectField, TextField } from "../ui/field";
import { readList } from "../ui/lists";
import { ProblemPanel } from "../ui/problem-panel";

const typed = { name: "", days: "90", readOnly: false, tenants: "", clusters: "" };

export function KeyDialog({ onClose, onMade }: { onClose: () => void; onMade: () => void }) {
  const { register, handleSubmit, formState } = useForm({ defaultValues: typed });
  const make = useMutation({
    mutationFn: ({ name, days, readOnly, tenants, clusters }: typeof typed) => {
      const scope = { readOnly, tenants: readList(tenants), clusters: readList(clusters) };
      return answer(hub.POST("/api/v1/keys", { body: { name: name.trim(), days: Number(days), scope } }));
    },
    onSuccess: onMade,
  });
  if (make.data !== undefined) {
    return (
      <Dialog
        isOpen
        onClose={onClose}
        isKept
        title="Your new key"
        description="It is shown once. Programs send it as Authorization: Bearer."
      >
        <CopyText label="the key" text={make.data.key} />
      </Dialog>
    );
  }
  return (
    <Dialog
      isOpen
      onClose={onClose}
      isKept
      title="Make a key"
      description="For one program, with as little as it needs."
    >
      <form
        className="flex flex-col gap-4"
        onSubmit={handleSubmit((values) => make.mutate(values))}
        noValidate
      >
        <TextField
          label="Name of the key"
          placeholder="deploy from CI"
          error={formState.errors.name?.message}
          {...register("name", { required: "Say what it is for." })}
        />
        <SelectField label="It ends after" {...register("days")}>
          {[1, 7, 30, 90, 180, 366].map((days) => (
            <option key={days} value={days}>
              {days === 1 ? "a day" : `${days} days`}
            </option>
          ))}
        </SelectField>
        <CheckField label="It only reads" {...register("readOnly")} />
        <TextField
          label="Only in tenants"
          hint="Such as acme, borealis. Everywhere if both are empty."
          spellCheck={false}
          {...register("tenants")}
        />
        <TextField
          label="Only in clusters"
          hint="By their ids."
          spellCheck={false}
          {...register("clusters")}
        />
        <ProblemPanel error={make.error} />
        <Button type="submit" look="primary" className="self-start" isBusy={make.isPending}>
          Make the key
        </Button>
      </form>
    </Dialog>
  );
}
