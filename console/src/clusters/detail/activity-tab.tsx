// What was done with a cluster, and in it, by whom.

import { Activity } from "../../audit/activity";
import { useShownCluster } from "./cluster-page";

export function ActivityTab() {
  const { id } = useShownCluster();
  return (
    <Activity
      cluster={id}
      limit={100}
      title="What was done"
      denied="You may not read the audit log here. The role auditor lets one read it."
    />
  );
}
