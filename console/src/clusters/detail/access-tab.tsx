// Who gets into a cluster, by which role and grant.

import { Members } from "../../grants/members";
import { useShownCluster } from "./cluster-page";

export function AccessTab() {
  return <Members noun="clusters" name={useShownCluster().id} title="Who gets in" />;
}
