// Deletes a hosted cluster, or forgets an imported one. Its name has to be typed.

import { useNavigate } from "react-router";
import { remove } from "../actions";
import { type ClusterDialogProps, Confirmed } from "./confirmed";

export function DeleteDialog({ cluster, onClose }: ClusterDialogProps) {
  const navigate = useNavigate();
  const { name, kind } = cluster;
  const isHosted = kind === "hosted";
  return (
    <Confirmed
      title={isHosted ? `Delete ${name}?` : `Forget ${name}?`}
      action={isHosted ? "Delete" : "Forget"}
      done={isHosted ? `${name} is being deleted` : `${name} is forgotten`}
      run={() => remove(cluster)}
      onClose={onClose}
      onDone={() => navigate("/clusters")}
      isDangerous
      typed={name}
    >
      <p>
        {isHosted
          ? "Its control plane and all its objects are deleted. Workers lose their cluster. Only a backup brings it back."
          : "The hub forgets it, and its agent is let in no more. The cluster runs on; delete the agent's namespace in it."}
      </p>
    </Confirmed>
  );
}
