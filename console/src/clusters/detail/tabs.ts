// Tabs of a cluster's page, below its path; each has a route of the same path.

import type { Tab } from "../../ui/tabs";

export const tabs: readonly Tab[] = [
  { path: "", label: "Summary" },
  { path: "explorer", label: "Explorer" },
  { path: "backups", label: "Backups" },
  { path: "events", label: "Events" },
  { path: "access", label: "Access" },
  { path: "activity", label: "Activity" },
];
