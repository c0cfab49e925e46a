// Fields for where archives of backups are kept.

import { SelectField, TextField } from "../../ui/field";
import type { TypedTarget } from "./target";

interface TargetFieldsProps {
  typed: TypedTarget;
  onChange: (typed: TypedTarget) => void;
}

export function TargetFields({ typed, onChange }: TargetFieldsProps) {
  const field = (name: Exclude<keyof TypedTarget, "kind">) => ({
    spellCheck: false,
    value: typed[name],
    onChange: ({ target }: { target: { value: string } }) =>
      onChange({ ...typed, [name]: target.value.trim() }),
  });
  return (
    <>
      <SelectField
        label="Kept in"
        value={typed.kind}
        onChange={({ target }) => onChange({ ...typed, kind: target.value as TypedTarget["kind"] })}
      >
        <option value="s3">a bucket</option>
        <option value="volume">a volume</option>
        <option value="directory">the operator's directory</option>
      </SelectField>
      {typed.kind === "s3" && (
        <>
          <TextField label="Bucket" required {...field("bucket")} />
          <TextField
            label="Address of the service"
            placeholder="https://s3.example.com"
            hint="AWS if it is empty. A new address is for those who may back up clusters at the platform."
            {...field("endpoint")}
          />
          <div className="grid gap-3 sm:grid-cols-2">
            <TextField label="Region" placeholder="us-east-1" {...field("region")} />
            <TextField label="Names begin with" {...field("prefix")} />
          </div>
          <TextField
            label="Secret with the credentials"
            required
            hint="In the tenant's namespace, with the keys accessKeyId and secretAccessKey."
            {...field("secretName")}
          />
        </>
      )}
      {typed.kind === "volume" && (
        <TextField
          label="Volume claim"
          required
          hint="A PersistentVolumeClaim in the tenant's namespace."
          {...field("claimName")}
        />
      )}
      {typed.kind === "directory" && (
        <p className="text-sm text-muted">
          A directory of the nodes, if the platform has one for backups. Each tenant has a part of its own.
        </p>
      )}
    </>
  );
}
