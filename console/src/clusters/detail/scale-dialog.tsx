// Gives a hosted cluster's control plane another number of pods.

import { useState } from "react";
import { IdempotencyKeys } from "../../api/idempotency";
import { SelectField } from "../../ui/field";
import { change } from "../actions";
import { type ClusterDialogProps, Confirmed } from "./confirmed";

export function ScaleDialog({ cluster, onClose }: ClusterDialogProps) {
  const now = cluster.replicas ?? 0;
  const [replicas, setReplicas] = useState(now);
  const [keys] = useState(() => new IdempotencyKeys());
  return (
    <Confirmed
      title={`Scale ${cluster.name}`}
      action="Scale"
      done={`${cluster.name} gets ${replicas} pods`}
      run={() => change(cluster, { replicas }, keys)}
      onClose={onClose}
      isDisabled={replicas === now}
    >
      <SelectField
        label="Pods of the control plane"
        hint={`It has ${now} now. Two and more stay reachable while one is replaced; the tenant's quota counts them.`}
        value={replicas}
        onChange={(event) => setReplicas(Number(event.target.value))}
      >
        {[...new Set([now, 1, 2, 3, 4, 5])].sort().map((count) => (
          <option key={count} value={count}>
            {count}
          </option>
        ))}
      </SelectField>
    </Confirmed>
  );
}
