// What is asked before a backup is brought back or deleted.

import { useState } from "react";
import type { Cluster } from "../../api/hub";
import { hub } from "../../api/hub";
import { IdempotencyKeys } from "../../api/idempotency";
import { Confirmed } from "../../ui/confirmed";
import { exactly } from "../../ui/format";
import { anew, type Backup, type Restore } from "./backups";
import { targetText } from "./target";

interface BackupDialogProps {
  cluster: Cluster;
  backup: Backup;
  onClose: () => void;
}

export function RestoreDialog({ cluster: { id, name }, backup, onClose }: BackupDialogProps) {
  const [keys] = useState(() => new IdempotencyKeys());
  const time = exactly(backup.takenAt ?? backup.completedAt ?? "");
  const restore = () => {
    const body = { backup: backup.name };
    const header = { "Idempotency-Key": keys.of(body) };
    return hub.POST("/api/v1/clusters/{name}/restores", { params: { path: { name: id }, header }, body });
  };
  return (
    <Confirmed
      title={`Restore ${name} from ${backup.name}?`}
      action="Restore"
      done={`${name} is being restored`}
      run={restore}
      onClose={onClose}
      onDone={() => anew(id)}
      isDangerous
      typed={name}
    >
      <ol className="flex list-decimal flex-col gap-1 pl-5">
        <li>The archive is read and checked. A damaged one changes nothing.</li>
        <li>
          The cluster stops: its API server answers nobody until it is done. Workers go on with what they run.
        </li>
        <li>
          Its contents become those of {time}. What was made or changed since is lost, what was deleted comes
          back.
        </li>
        <li>It starts again by itself, with the address and the credentials that it has.</li>
      </ol>
      <p>To keep what it has now, take a backup first.</p>
    </Confirmed>
  );
}

interface CallOffDialogProps {
  /** The cluster's id. */
  id: string;
  restore: Restore;
  onClose: () => void;
}

export function CallOffDialog({ id, restore, onClose }: CallOffDialogProps) {
  const params = { path: { name: id, restore: restore.name } };
  return (
    <Confirmed
      title={`Call the restore from ${restore.backup ?? "an archive"} off?`}
      action="Call it off"
      done="The restore is called off"
      run={() => hub.DELETE("/api/v1/clusters/{name}/restores/{restore}", { params })}
      onClose={onClose}
      onDone={() => anew(id)}
    >
      <p>The cluster runs on with what it has. Nothing of it was replaced yet.</p>
    </Confirmed>
  );
}

export function DeleteBackupDialog({ cluster: { id }, backup, onClose }: BackupDialogProps) {
  const params = { path: { name: id, backup: backup.name } };
  return (
    <Confirmed
      title={`Delete the backup ${backup.name}?`}
      action="Delete"
      done={`${backup.name} is being deleted`}
      run={() => hub.DELETE("/api/v1/clusters/{name}/backups/{backup}", { params })}
      onClose={onClose}
      onDone={() => anew(id)}
      isDangerous
    >
      <p>
        {backup.archivePolicy === "Delete"
          ? `Its archive in ${targetText(backup.target)} is deleted with it.`
          : `Its archive ${backup.archive ?? ""} stays in ${targetText(backup.target)}, but is not listed here any more.`}
      </p>
    </Confirmed>
  );
}
