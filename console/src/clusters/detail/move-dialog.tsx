// Moves a hosted cluster to another data store. Its page shows how far it is.

import { useState } from "react";
import { IdempotencyKeys } from "../../api/idempotency";
import { roomText, useStores } from "../../stores/stores";
import { SelectField } from "../../ui/field";
import { ProblemPanel } from "../../ui/problem-panel";
import { change } from "../actions";
import { type ClusterDialogProps, Confirmed } from "./confirmed";

export function MoveDialog({ cluster, onClose }: ClusterDialogProps) {
  const { data, error } = useStores();
  const [to, setTo] = useState("");
  const [keys] = useState(() => new IdempotencyKeys());
  const others = data?.items.filter(({ name }) => name !== cluster.dataStore);
  return (
    <Confirmed
      title={`Move ${cluster.name} to another data store`}
      action="Move"
      done={`${cluster.name} moves to ${to}`}
      run={() => change(cluster, { dataStore: to }, keys)}
      onClose={onClose}
      isDisabled={to === ""}
    >
      <p>
        It is on {cluster.dataStore ?? "no store yet"}. Its objects are copied while it goes on; then changes
        are refused for ten to thirty seconds, until its pods run on the new store. Address and credentials
        stay.
      </p>
      {error === null && (
        <SelectField label="To" value={to} onChange={({ target }) => setTo(target.value)}>
          <option value="">{data === undefined ? "Stores are on their way" : "Choose a store"}</option>
          {others?.map((store) => (
            <option key={store.name} value={store.name} disabled={!store.ready}>
              {store.name}, {store.driver}, {store.ready ? roomText(store) : "not ready"}
            </option>
          ))}
        </SelectField>
      )}
      <ProblemPanel error={error} />
    </Confirmed>
  );
}
