// Gives a hosted cluster another version of Kubernetes, and says before what will happen.

import { useId, useState } from "react";
import { IdempotencyKeys } from "../../api/idempotency";
import { TextField } from "../../ui/field";
import { change } from "../actions";
import { clusterVersion } from "../rules";
import { hintOf, offered, useVersions } from "../versions";
import { type ClusterDialogProps, Confirmed } from "./confirmed";
import { judge } from "./upgrade";

export function UpgradeDialog({ cluster, onClose }: ClusterDialogProps) {
  const minors = useVersions(cluster.tenant ?? "") ?? [];
  const versions = useId();
  const [typed, setTyped] = useState<string>();
  const [keys] = useState(() => new IdempotencyKeys());
  const goesTo = (to: string) => judge(cluster.version ?? "", to, cluster.replicas ?? 0);
  const next = offered(minors).find((known) => goesTo(known).isPossible);
  const version = typed ?? next ?? offered(minors)[0] ?? "";
  const isWritten = clusterVersion.pattern.value.test(version);
  const { isPossible, told } = goesTo(version);
  return (
    <Confirmed
      title={`Upgrade ${cluster.name}`}
      action="Upgrade"
      done={`${cluster.name} is being upgraded to ${version}`}
      run={() => change(cluster, { version }, keys)}
      onClose={onClose}
      isDisabled={!isWritten || !isPossible}
    >
      <p>It runs {cluster.version ?? "an unknown version"} now.</p>
      <TextField
        label="New version"
        hint={hintOf(minors)}
        list={versions}
        spellCheck={false}
        error={isWritten ? undefined : clusterVersion.pattern.message}
        value={version}
        onChange={(event) => setTyped(event.target.value.trim())}
      />
      <datalist id={versions}>
        {offered(minors).map((known) => (
          <option key={known} value={known} />
        ))}
      </datalist>
      {isWritten && (
        <ul aria-live="polite" className="flex list-disc flex-col gap-1 pl-5">
          {told.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      )}
    </Confirmed>
  );
}
