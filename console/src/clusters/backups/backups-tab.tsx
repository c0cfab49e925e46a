// Backups of a cluster: those there are, when they are taken, and what is brought back.

import { useState } from "react";
import { ObjectTable } from "../../objects/object-table";
import { Button } from "../../ui/button";
import { Empty, Section } from "../../ui/page";
import { useShownCluster } from "../detail/cluster-page";
import { type Backup, useBackups } from "./backups";
import { backupColumns } from "./columns";
import { DeleteBackupDialog, RestoreDialog } from "./dialogs";
import { Restores } from "./restores";
import { BackupScheduleSection } from "./schedule-section";
import { TakeDialog } from "./take-dialog";

type Open = { what: "take" } | { what: "restore" | "delete"; backup: Backup };

export function BackupsTab() {
  const cluster = useShownCluster();
  if (cluster.kind !== "hosted") {
    return (
      <Empty title="It is not backed up here">
        What runs the control plane of an imported cluster backs it up, too.
      </Empty>
    );
  }
  return <Backups />;
}

function Backups() {
  const cluster = useShownCluster();
  const { data, error, refetch } = useBackups(cluster.id);
  const [open, setOpen] = useState<Open>();
  const onClose = () => setOpen(undefined);
  const way = (
    <Button look="primary" onClick={() => setOpen({ what: "take" })}>
      Take a backup
    </Button>
  );
  const columns = backupColumns((what, backup) => setOpen({ what, backup }));
  return (
    <div className="flex flex-col gap-5">
      <Restores id={cluster.id} />
      <Section title="Backups" actions={way}>
        <div className="flex flex-col gap-4">
          <ObjectTable
            label="Backups"
            columns={columns}
            rows={data?.items}
            error={error}
            onRetry={refetch}
            getId={({ name }) => name}
            words={({ name, state, message }) => `${name} ${state} ${message}`}
            empty={
              <Empty title="It has no backups">
                A backup keeps all its objects as they stand at one moment, outside of its data store.
              </Empty>
            }
          />
        </div>
      </Section>
      <BackupScheduleSection cluster={cluster} kept={data?.kept ?? undefined} />
      {open?.what === "take" && (
        <TakeDialog cluster={cluster} kept={data?.kept ?? undefined} onClose={onClose} />
      )}
      {open?.what === "restore" && <RestoreDialog cluster={cluster} backup={open.backup} onClose={onClose} />}
      {open?.what === "delete" && (
        <DeleteBackupDialog cluster={cluster} backup={open.backup} onClose={onClose} />
      )}
    </div>
  );
}
