// The columns of the table of backups.

import { Trash2 } from "lucide-react";
import { Badge } from "../../ui/badge";
import { Button, IconButton } from "../../ui/button";
import { bytes } from "../../ui/format";
import type { Column } from "../../ui/table/columns";
import { Ago } from "../../ui/time";
import { type Backup, tones } from "./backups";
import { targetText } from "./target";

type Act = (what: "restore" | "delete", backup: Backup) => void;

export function backupColumns(act: Act): readonly Column<Backup>[] {
  return [
    {
      id: "name",
      title: "Name",
      sortBy: ({ name }) => name,
      cell: ({ name, message, schedule }) => (
        <span className="flex flex-col">
          <span className="truncate font-medium" title={name}>
            {name}
          </span>
          <span className="truncate text-xs text-muted" title={message}>
            {message || (schedule == null ? "" : `by the schedule ${schedule}`)}
          </span>
        </span>
      ),
    },
    {
      id: "state",
      title: "State",
      width: "8rem",
      sortBy: ({ state }) => state,
      cell: ({ state }) => <Badge tone={tones[state]}>{state}</Badge>,
    },
    {
      id: "time",
      title: "Taken",
      width: "8.5rem",
      from: "tablet",
      sortBy: ({ created, takenAt }) => Date.parse(takenAt ?? created ?? "") || undefined,
      cell: ({ created, takenAt }) => {
        const time = takenAt ?? created;
        return time == null ? "—" : <Ago time={time} />;
      },
    },
    {
      id: "size",
      title: "Size",
      width: "6rem",
      from: "tablet",
      isNumber: true,
      sortBy: ({ size }) => size ?? undefined,
      cell: ({ size }) => (size == null ? "—" : bytes(size)),
    },
    {
      id: "target",
      title: "Kept in",
      from: "desktop",
      sortBy: ({ target }) => targetText(target),
      cell: ({ target }) => (
        <span className="block truncate text-muted" title={targetText(target)}>
          {targetText(target)}
        </span>
      ),
    },
    {
      id: "actions",
      title: "Actions",
      width: "9.5rem",
      cell: (backup) => (
        <span className="flex justify-end gap-1">
          {backup.state === "Completed" && (
            <Button aria-label={`Restore from ${backup.name}`} onClick={() => act("restore", backup)}>
              Restore
            </Button>
          )}
          <IconButton
            label={`Delete the backup ${backup.name}`}
            disabled={backup.state === "Deleting"}
            onClick={() => act("delete", backup)}
          >
            <Trash2 aria-hidden className="size-4" />
          </IconButton>
        </span>
      ),
    },
  ];
}
