// A cluster's state as a badge.

import { Badge } from "../ui/badge";
import { stateOf } from "./state";

export function StateBadge({ state }: { state: string }) {
  const { tone, label } = stateOf(state);
  return <Badge tone={tone}>{label}</Badge>;
}
