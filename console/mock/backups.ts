// Backups and restores of the played hub: the same ones for each cluster, and those that are asked for, which go on a
// step with each look at them.

import type { components } from "../src/api/schema.d.ts";

type Schemas = components["schemas"];
type Backup = Schemas["BackupRow"];
type Restore = Schemas["RestoreRow"];

const hour = 3_600_000;

const bucket: Schemas["BackupTarget"] = {
  s3: { bucket: "backups", endpoint: "https://s3.example.com", secretName: "bucket" },
};

interface Kept {
  backups: Backup[];
  restores: Restore[];
  schedule: Schemas["BackupScheduleRow"] | null;
}

const restoring: [reason: string, message: string][] = [
  ["Verifying", "the archive is being checked"],
  ["Stopping", "the control plane's pods are being ended, 1 is left"],
  ["Restoring", "the contents are being replaced"],
];

function backup(name: string, created: string, more: Partial<Backup>): Backup {
  return {
    name,
    state: "Completed",
    reason: "Completed",
    message: "1893 objects in 412160 bytes",
    verified: true,
    created,
    takenAt: created,
    completedAt: created,
    objects: 1893,
    size: 412_160,
    kubernetesVersion: "v1.36.1",
    target: bucket,
    archive: `acme/production-01/${name}.flotilla`,
    archivePolicy: "Delete",
    ...more,
  };
}

function seeded(now: number): Kept {
  const ago = (hours: number) => new Date(now - hours * hour).toISOString();
  return {
    backups: [
      backup("before-upgrade", ago(2), { archivePolicy: "Keep" }),
      backup("nightly-20261129-0230", ago(9), { schedule: "nightly" }),
      backup("nightly-20261128-0230", ago(33), {
        schedule: "nightly",
        state: "Failed",
        reason: "Failed",
        message: "the bucket refuses: quota exceeded; create another TenantBackup to try again",
        verified: false,
        takenAt: null,
        size: null,
        objects: null,
      }),
    ],
    restores: [
      {
        name: "production-01-20261120-101500",
        state: "Completed",
        reason: "Completed",
        message: "the control plane has the 1893 objects of the backup",
        backup: "nightly-20261119-0230",
        created: ago(220),
        completedAt: ago(220),
        objects: 1893,
      },
    ],
    schedule: {
      name: "nightly",
      schedule: "30 2 * * *",
      timeZone: "Europe/Berlin",
      suspend: false,
      retention: { daily: 7, weekly: 4 },
      target: bucket,
      encryption: {},
      ready: false,
      message: "TenantBackup `nightly-20261128-0230` failed; its condition Completed says why",
      next: new Date(now + 15 * hour).toISOString(),
      lastSuccessful: ago(9),
      kept: 1,
    },
  };
}

export class Backups {
  readonly #clusters = new Map<string, Kept>();

  of(id: string): Kept {
    const known = this.#clusters.get(id) ?? seeded(Date.now());
    this.#clusters.set(id, known);
    return known;
  }

  take(id: string, { name, target, archivePolicy }: Schemas["NewBackup"]): string {
    const { backups } = this.of(id);
    const made = name ?? `backup-${backups.length}`;
    const now = new Date().toISOString();
    backups.unshift(
      backup(made, now, {
        state: "Running",
        reason: "Running",
        message: "the backup is being taken",
        verified: false,
        takenAt: null,
        completedAt: null,
        ...(target == null ? {} : { target }),
        ...(archivePolicy === undefined ? {} : { archivePolicy }),
      }),
    );
    return made;
  }

  restore(id: string, from: string): string {
    const { restores } = this.of(id);
    const name = `restore-${restores.length}`;
    const [reason, message] = restoring[0] ?? ["", ""];
    const created = new Date().toISOString();
    restores.unshift({ name, state: "Running", reason, message, backup: from, created });
    return name;
  }

  /** The next step of what is under way. */
  advance(id: string): void {
    const known = this.of(id);
    const now = new Date().toISOString();
    known.backups = known.backups.map((row) =>
      row.state === "Running" ? backup(row.name, row.created ?? now, { target: row.target }) : row,
    );
    known.restores = known.restores.map((row) => {
      if (row.state !== "Running") {
        return row;
      }
      const next = restoring[restoring.findIndex(([reason]) => reason === row.reason) + 1];
      return next === undefined
        ? {
            ...row,
            state: "Completed",
            reason: "Completed",
            message: "it has the 1893 objects",
            completedAt: now,
          }
        : { ...row, reason: next[0], message: next[1] };
    });
  }
}
