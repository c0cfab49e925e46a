// Takes a backup of a hosted cluster now, by default where the one before is kept.

import { useState } from "react";
import type { Cluster } from "../../api/hub";
import { hub } from "../../api/hub";
import { IdempotencyKeys } from "../../api/idempotency";
import { Confirmed } from "../../ui/confirmed";
import { CheckField, TextField } from "../../ui/field";
import { anew, type Keeping } from "./backups";
import { isWhole, typedTarget, writtenTarget } from "./target";
import { TargetFields } from "./target-fields";

interface TakeDialogProps {
  cluster: Cluster;
  kept: Keeping | undefined;
  onClose: () => void;
}

export function TakeDialog({ cluster: { id, name }, kept, onClose }: TakeDialogProps) {
  const [typedName, setName] = useState("");
  const [typed, setTyped] = useState(() => typedTarget(kept?.target));
  const [isDeleted, setDeleted] = useState(true);
  const [keys] = useState(() => new IdempotencyKeys());
  const take = () => {
    const body = {
      name: typedName || null,
      target: writtenTarget(typed),
      archivePolicy: isDeleted ? ("Delete" as const) : ("Keep" as const),
    };
    const header = { "Idempotency-Key": keys.of(body) };
    return hub.POST("/api/v1/clusters/{name}/backups", { params: { path: { name: id }, header }, body });
  };
  return (
    <Confirmed
      title={`Back up ${name}`}
      action="Take a backup"
      done={`A backup of ${name} is being taken`}
      run={take}
      onClose={onClose}
      onDone={() => anew(id)}
      isDisabled={!isWhole(typed)}
    >
      <p>
        All its objects as they stand at one moment, encrypted and read back. The cluster goes on meanwhile.
      </p>
      <TextField
        label="Name"
        hint="Cluster and time if it is empty."
        spellCheck={false}
        value={typedName}
        onChange={({ target }) => setName(target.value.trim())}
      />
      <TargetFields typed={typed} onChange={setTyped} />
      <CheckField
        label="Delete the archive with the backup"
        hint="Otherwise it stays in its place when the backup is deleted here."
        checked={isDeleted}
        onChange={({ target }) => setDeleted(target.checked)}
      />
    </Confirmed>
  );
}
