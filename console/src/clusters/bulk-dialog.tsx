// Asks before something is done with many clusters, shows how far it is, and what failed.

import { useState } from "react";
import type { Cluster } from "../api/hub";
import { Problem } from "../api/problem";
import { Confirm } from "../ui/dialog";
import { TextField } from "../ui/field";
import { toast } from "../ui/toast";
import { each, type Outcome } from "./actions";

export interface BulkWork {
  title: string;
  action: string;
  /** The action once it is done. */
  past: string;
  /** What will happen. */
  told: string;
  clusters: readonly Cluster[];
  run: (cluster: Cluster) => Promise<unknown>;
  /** Their number has to be typed first. */
  isDangerous?: boolean;
}

interface BulkDialogProps {
  work: BulkWork;
  onClose: () => void;
  onDone: () => void;
}

/** So many names are listed. */
const most = 6;

export function BulkDialog({ work, onClose, onDone }: BulkDialogProps) {
  const [typed, setTyped] = useState("");
  const [finished, setFinished] = useState<number>();
  const [failed, setFailed] = useState<Outcome["failed"]>([]);
  const count = work.clusters.length;
  const isUnderWay = finished !== undefined;

  const run = async () => {
    setFinished(0);
    const clusters = failed.length === 0 ? work.clusters : failed.map(({ cluster }) => cluster);
    const outcome = await each(clusters, work.run, setFinished);
    setFinished(undefined);
    setFailed(outcome.failed);
    if (outcome.done.length > 0) {
      toast.done(`${outcome.done.length} ${work.past}`);
    }
    if (outcome.failed.length === 0) {
      onClose();
      onDone();
    }
  };

  return (
    <Confirm
      isOpen
      onClose={onClose}
      title={work.title}
      action={failed.length === 0 ? work.action : "Try these again"}
      isDangerous={work.isDangerous === true}
      isBusy={isUnderWay}
      isDisabled={work.isDangerous === true && typed !== String(count)}
      onConfirm={run}
    >
      <p>{work.told}</p>
      <p className="break-words">
        {work.clusters
          .slice(0, most)
          .map(({ name }) => name)
          .join(", ")}
        {count > most && ` and ${count - most} more`}
      </p>
      {work.isDangerous === true && (
        <TextField
          label={`Type ${count} to confirm`}
          inputMode="numeric"
          value={typed}
          onChange={(event) => setTyped(event.target.value.trim())}
        />
      )}
      {isUnderWay && (
        <progress className="w-full" aria-label="Progress" max={count} value={finished}>
          {finished} of {count}
        </progress>
      )}
      {failed.length > 0 && (
        <ul
          role="alert"
          className="flex max-h-40 flex-col gap-1 overflow-y-auto rounded-md bg-bad-soft p-3 text-text"
        >
          {failed.map(({ cluster, error }) => (
            <li key={cluster.id} className="break-words">
              <strong className="font-semibold">{cluster.name}</strong>: {Problem.from(error).message}
            </li>
          ))}
        </ul>
      )}
    </Confirm>
  );
}
