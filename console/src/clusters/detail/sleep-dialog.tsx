// Puts a hosted cluster to sleep, or wakes it.

import { sleep, wake } from "../actions";
import { type ClusterDialogProps, Confirmed } from "./confirmed";

export function SleepDialog({ cluster, onClose }: ClusterDialogProps) {
  if (cluster.state === "Sleeping") {
    return (
      <Confirmed
        title={`Wake ${cluster.name}?`}
        action="Wake"
        done={`${cluster.name} wakes`}
        run={() => wake(cluster)}
        onClose={onClose}
      >
        <p>Its control plane gets back the pods that it had. It answers in seconds.</p>
      </Confirmed>
    );
  }
  return (
    <Confirmed
      title={`Put ${cluster.name} to sleep?`}
      action="Put to sleep"
      done={`${cluster.name} goes to sleep`}
      run={() => sleep(cluster)}
      onClose={onClose}
    >
      <p>
        The pods of its control plane go, and cost nothing. Its objects stay. Workers go on with what they
        run, but nothing in the cluster can be changed until it is woken.
      </p>
    </Confirmed>
  );
}
