// The roles that every hub has, as people read them. The hub's own list is `authz::builtin_roles`.

export interface BuiltinRole {
  name: string;
  /** With the hub's objects. */
  hub: string;
  /** Inside clusters. */
  cluster: string;
}

export const builtinRoles: readonly BuiltinRole[] = [
  { name: "platform-admin", hub: "Everything.", cluster: "Everything." },
  { name: "auditor", hub: "Reads everything, the audit log too.", cluster: "Nothing." },
  {
    name: "tenant-owner",
    hub: "Tenants below, projects, templates, providers, users, clusters, roles and grants; reads audit and metering. Quota and state of the tenant itself are for those above it.",
    cluster: "Everything.",
  },
  {
    name: "cluster-owner",
    hub: "Makes, changes, runs and deletes clusters and projects; gives roles there; reads templates.",
    cluster: "Everything.",
  },
  {
    name: "project-owner",
    hub: "Sees the project and its clusters, gets into them, gives roles there.",
    cluster: "In the project's namespaces: workloads, configuration, Secrets, roles and their bindings.",
  },
  {
    name: "project-member",
    hub: "Sees the project and its clusters, and gets into them.",
    cluster: "In the project's namespaces: workloads, configuration, Secrets.",
  },
  {
    name: "read-only",
    hub: "Sees tenants, templates, projects and clusters, and gets into them.",
    cluster: "Reads workloads and logs; no Secrets, no roles.",
  },
];
