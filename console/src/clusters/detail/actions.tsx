// What can be done with a cluster, from its page.

import { MoreHorizontal } from "lucide-react";
import { type ComponentType, useState } from "react";
import type { Cluster } from "../../api/hub";
import { Button, ButtonLink, IconButton } from "../../ui/button";
import { Menu, MenuItem, MenuSeparator } from "../../ui/menu";
import { LabelDialog } from "../label-dialog";
import { CloneDialog } from "./clone-dialog";
import type { ClusterDialogProps } from "./confirmed";
import { DeleteDialog } from "./delete-dialog";
import { MoveDialog } from "./move-dialog";
import { RotateDialog } from "./rotate-dialog";
import { ScaleDialog } from "./scale-dialog";
import { SleepDialog } from "./sleep-dialog";
import { TransferDialog } from "./transfer-dialog";
import { UpgradeDialog } from "./upgrade-dialog";

const dialogs = {
  upgrade: UpgradeDialog,
  clone: CloneDialog,
  transfer: TransferDialog,
  move: MoveDialog,
  scale: ScaleDialog,
  sleep: SleepDialog,
  label: ({ cluster, onClose }: ClusterDialogProps) => <LabelDialog clusters={[cluster]} onClose={onClose} />,
  delete: DeleteDialog,
  rotate: RotateDialog,
} satisfies Record<string, ComponentType<ClusterDialogProps>>;

export function Actions({ cluster }: { cluster: Cluster }) {
  const [open, setOpen] = useState<keyof typeof dialogs>();
  const isHosted = cluster.kind === "hosted";
  const isAsleep = cluster.state === "Sleeping";
  const Shown = open === undefined ? undefined : dialogs[open];
  return (
    <>
      {isHosted && <Button onClick={() => setOpen("sleep")}>{isAsleep ? "Wake" : "Put to sleep"}</Button>}
      {isHosted && (
        <Button look="primary" onClick={() => setOpen("upgrade")}>
          Upgrade
        </Button>
      )}
      {cluster.state === "Waiting" && (
        <ButtonLink look="primary" to={`/clusters/import?cluster=${encodeURIComponent(cluster.id)}`}>
          Go on importing
        </ButtonLink>
      )}
      <Menu
        trigger={<IconButton label="More actions" look="plain" />}
        face={<MoreHorizontal aria-hidden className="size-4" />}
      >
        {isHosted && <MenuItem onClick={() => setOpen("scale")}>Scale the control plane</MenuItem>}
        {isHosted && <MenuItem onClick={() => setOpen("clone")}>Clone</MenuItem>}
        {isHosted && <MenuItem onClick={() => setOpen("transfer")}>Give to another tenant</MenuItem>}
        {isHosted && <MenuItem onClick={() => setOpen("move")}>Move to another data store</MenuItem>}
        <MenuItem onClick={() => setOpen("label")}>Label</MenuItem>
        {!isHosted && <MenuItem onClick={() => setOpen("rotate")}>Replace the agent's token</MenuItem>}
        <MenuSeparator />
        <MenuItem isDangerous onClick={() => setOpen("delete")}>
          {isHosted ? "Delete" : "Forget"}
        </MenuItem>
      </Menu>
      {Shown !== undefined && <Shown cluster={cluster} onClose={() => setOpen(undefined)} />}
    </>
  );
}
