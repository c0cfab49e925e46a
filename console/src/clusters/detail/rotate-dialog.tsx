// Has the token of an imported cluster's agent replaced.

import { hub } from "../../api/hub";
import { type ClusterDialogProps, Confirmed } from "./confirmed";

export function RotateDialog({ cluster, onClose }: ClusterDialogProps) {
  const path = { name: cluster.id };
  return (
    <Confirmed
      title={`Replace the token of ${cluster.name}'s agent?`}
      action="Replace"
      done="The agent gets itself a new token"
      run={() => hub.POST("/api/v1/imports/{name}/rotate", { params: { path } })}
      onClose={onClose}
    >
      <p>The agent gets itself a new one and connects with it. From then on the old one is refused.</p>
    </Confirmed>
  );
}
