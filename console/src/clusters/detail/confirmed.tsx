// What dialogs about a cluster are given.

import type { Cluster } from "../../api/hub";

export { Confirmed } from "../../ui/confirmed";

export interface ClusterDialogProps {
  cluster: Cluster;
  onClose: () => void;
}
