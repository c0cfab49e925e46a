// Pages by path. Each is loaded when it is first shown.

import type { RouteObject } from "react-router";
import { peoplePages } from "./people-routes";

export const pages: RouteObject[] = [
  { index: true, lazy: async () => ({ Component: (await import("../fleet/overview-page")).OverviewPage }) },
  {
    path: "clusters",
    lazy: async () => ({ Component: (await import("../clusters/list-page")).ClustersPage }),
  },
  {
    path: "clusters/create",
    lazy: async () => ({ Component: (await import("../clusters/create/create-page")).CreatePage }),
  },
  {
    path: "clusters/import",
    lazy: async () => ({ Component: (await import("../clusters/import/import-page")).ImportPage }),
  },
  {
    path: "clusters/:id",
    lazy: async () => ({ Component: (await import("../clusters/detail/cluster-page")).ClusterPage }),
    children: [
      {
        index: true,
        lazy: async () => ({ Component: (await import("../clusters/detail/summary-tab")).SummaryTab }),
      },
      {
        path: "backups",
        lazy: async () => ({ Component: (await import("../clusters/backups/backups-tab")).BackupsTab }),
      },
      {
        path: "events",
        lazy: async () => ({ Component: (await import("../clusters/detail/events-tab")).EventsTab }),
      },
      {
        path: "access",
        lazy: async () => ({ Component: (await import("../clusters/detail/access-tab")).AccessTab }),
      },
      {
        path: "activity",
        lazy: async () => ({ Component: (await import("../clusters/detail/activity-tab")).ActivityTab }),
      },
    ],
  },
  {
    path: "clusters/:id/explorer",
    lazy: async () => ({ Component: (await import("../explorer/explorer-page")).ExplorerPage }),
    children: [
      {
        index: true,
        lazy: async () => ({ Component: (await import("../explorer/explorer-page")).FirstKind }),
      },
      {
        path: "create",
        lazy: async () => ({ Component: (await import("../explorer/yaml/create-page")).CreateObjectsPage }),
      },
      {
        path: ":resource",
        lazy: async () => ({ Component: (await import("../explorer/list/list-page")).ListPage }),
      },
      {
        path: ":resource/:namespace/:name",
        lazy: async () => ({ Component: (await import("../explorer/object/object-page")).ObjectPage }),
        children: [
          {
            index: true,
            lazy: async () => ({
              Component: (await import("../explorer/object/summary-tab")).SummaryTab,
            }),
          },
          {
            path: "yaml",
            lazy: async () => ({ Component: (await import("../explorer/yaml/yaml-tab")).YamlTab }),
          },
          {
            path: "logs",
            lazy: async () => ({ Component: (await import("../explorer/pod/logs-tab")).LogsTab }),
          },
          {
            path: "shell",
            lazy: async () => ({ Component: (await import("../explorer/pod/shell-tab")).ShellTab }),
          },
        ],
      },
    ],
  },
  {
    path: "datastores",
    lazy: async () => ({ Component: (await import("../stores/stores-page")).StoresPage }),
  },
  {
    path: "datastores/:name",
    lazy: async () => ({ Component: (await import("../stores/store-page")).StorePage }),
  },
  { path: "audit", lazy: async () => ({ Component: (await import("../audit/audit-page")).AuditPage }) },
  {
    path: "settings",
    lazy: async () => ({ Component: (await import("../settings/settings-page")).SettingsPage }),
  },
  { path: "device", lazy: async () => ({ Component: (await import("../device/device-page")).DevicePage }) },
  ...peoplePages,
];
