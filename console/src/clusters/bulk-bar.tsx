// What is done with all clusters that are selected.

import { Moon, Sun, Tag, Trash2 } from "lucide-react";
import { useState } from "react";
import type { Cluster } from "../api/hub";
import { Button } from "../ui/button";
import { remove, sleep, wake } from "./actions";
import { BulkDialog, type BulkWork } from "./bulk-dialog";
import { LabelDialog } from "./label-dialog";

interface BulkBarProps {
  clusters: readonly Cluster[];
  onDone: () => void;
}

export function BulkBar({ clusters, onDone }: BulkBarProps) {
  const [work, setWork] = useState<BulkWork>();
  const [isLabelling, setLabelling] = useState(false);
  const hosted = clusters.filter(({ kind }) => kind === "hosted");
  const awake = hosted.filter(({ state }) => state !== "Sleeping");
  const asleep = hosted.filter(({ state }) => state === "Sleeping");
  return (
    <section
      aria-label="Selected clusters"
      className="flex flex-wrap items-center gap-2 rounded-xl border border-accent bg-accent-soft px-4 py-2"
    >
      <p className="mr-auto text-sm font-medium">{clusters.length.toLocaleString()} selected</p>
      <Button
        disabled={awake.length === 0}
        onClick={() =>
          setWork({
            title: `Put ${awake.length} to sleep?`,
            action: "Put to sleep",
            past: "put to sleep",
            told: "Their control planes stop until they are woken; nothing in them is lost. Workers go on with what they run.",
            clusters: awake,
            run: sleep,
          })
        }
      >
        <Moon aria-hidden className="size-4" />
        Sleep
      </Button>
      <Button
        disabled={asleep.length === 0}
        onClick={() =>
          setWork({
            title: `Wake ${asleep.length}?`,
            action: "Wake",
            past: "woken",
            told: "Their control planes start as fast as the machine allows, one after the other.",
            clusters: asleep,
            run: wake,
          })
        }
      >
        <Sun aria-hidden className="size-4" />
        Wake
      </Button>
      <Button onClick={() => setLabelling(true)}>
        <Tag aria-hidden className="size-4" />
        Label
      </Button>
      <Button
        look="danger"
        onClick={() =>
          setWork({
            title: `Delete ${clusters.length}?`,
            action: "Delete",
            past: "deleted",
            told: "Hosted clusters go with all that is in them. Imported ones are only forgotten: they run on where they are.",
            clusters,
            run: remove,
            isDangerous: true,
          })
        }
      >
        <Trash2 aria-hidden className="size-4" />
        Delete
      </Button>
      {work !== undefined && <BulkDialog work={work} onClose={() => setWork(undefined)} onDone={onDone} />}
      {isLabelling && <LabelDialog clusters={clusters} onClose={() => setLabelling(false)} />}
    </section>
  );
}
