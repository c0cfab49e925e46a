// Where one can go: each area of the console has one line here, which navigation and palette show.

import {
  Building2,
  ChartColumn,
  Database,
  FolderTree,
  HandHelping,
  IdCard,
  LayoutDashboard,
  LayoutTemplate,
  type LucideIcon,
  ScrollText,
  Server,
  Settings,
  ShieldCheck,
  Users,
} from "lucide-react";

export interface Destination {
  to: string;
  label: string;
  icon: LucideIcon;
  /** Words by which the palette finds it, too. */
  words: string;
}

export interface Area {
  title: string;
  destinations: Destination[];
}

export const areas: Area[] = [
  {
    title: "Fleet",
    destinations: [
      { to: "/", label: "Overview", icon: LayoutDashboard, words: "home fleet attention activity" },
      { to: "/clusters", label: "Clusters", icon: Server, words: "list inventory hosted imported" },
      { to: "/templates", label: "Templates", icon: LayoutTemplate, words: "blueprint parameters versions" },
    ],
  },
  {
    title: "Tenancy",
    destinations: [
      { to: "/tenants", label: "Tenants", icon: Building2, words: "organisations quota tree suspend" },
      { to: "/projects", label: "Projects", icon: FolderTree, words: "namespaces quota members" },
      { to: "/metering", label: "Metering", icon: ChartColumn, words: "usage cost charts billing csv" },
    ],
  },
  {
    title: "People",
    destinations: [
      { to: "/users", label: "Users", icon: Users, words: "people accounts passwords disable" },
      { to: "/grants", label: "Grants", icon: HandHelping, words: "members rights permissions give role" },
      { to: "/roles", label: "Roles", icon: ShieldCheck, words: "rules rights permissions" },
      {
        to: "/providers",
        label: "Identity providers",
        icon: IdCard,
        words: "oidc ldap sso active directory sign in",
      },
    ],
  },
  {
    title: "Platform",
    destinations: [
      {
        to: "/datastores",
        label: "Data stores",
        icon: Database,
        words: "etcd postgresql mysql nats capacity move",
      },
      { to: "/audit", label: "Audit", icon: ScrollText, words: "log who did what denied history" },
      { to: "/settings", label: "Settings", icon: Settings, words: "branding name notice sessions limits" },
    ],
  },
];
