// What can be done with an object, from its page.

import { MoreHorizontal } from "lucide-react";
import { useState } from "react";
import { can, type Kind } from "../../kubernetes/kinds";
import { at, type KubernetesObject } from "../../kubernetes/objects";
import { Button, IconButton } from "../../ui/button";
import { Menu, MenuItem } from "../../ui/menu";
import { useExplorer } from "../explorer-page";
import { DrainDialog } from "../node/drain-dialog";
import { CordonDialog, DeleteDialog, RestartDialog, ScaleDialog } from "./dialogs";

type Open = "scale" | "restart" | "cordon" | "drain" | "delete";

const restarted = new Set(["deployments.apps", "statefulsets.apps", "daemonsets.apps"]);

export function ObjectActions({ kind, object }: { kind: Kind; object: KubernetesObject }) {
  const { cluster } = useExplorer();
  const [open, setOpen] = useState<Open>();
  const dialog = { target: { cluster, kind, object }, onClose: () => setOpen(undefined) };
  const isNode = kind.id === "nodes";
  const isCordoned = at(object, "spec", "unschedulable") === true;
  return (
    <>
      {kind.subresources.includes("scale") && <Button onClick={() => setOpen("scale")}>Scale</Button>}
      {restarted.has(kind.id) && <Button onClick={() => setOpen("restart")}>Restart</Button>}
      {isNode && <Button onClick={() => setOpen("cordon")}>{isCordoned ? "Uncordon" : "Cordon"}</Button>}
      {isNode && <Button onClick={() => setOpen("drain")}>Drain</Button>}
      {can(kind, "delete") && (
        <Menu
          trigger={<IconButton label="More actions" look="plain" />}
          face={<MoreHorizontal aria-hidden className="size-4" />}
        >
          <MenuItem isDangerous onClick={() => setOpen("delete")}>
            Delete
          </MenuItem>
        </Menu>
      )}
      {open === "scale" && <ScaleDialog {...dialog} />}
      {open === "restart" && <RestartDialog {...dialog} />}
      {open === "cordon" && <CordonDialog {...dialog} />}
      {open === "drain" && <DrainDialog {...dialog} />}
      {open === "delete" && <DeleteDialog {...dialog} />}
    </>
  );
}
