// Pages of tenants, people and rights by path. Each is loaded when it is first shown.

import type { RouteObject } from "react-router";

export const peoplePages: RouteObject[] = [
  {
    path: "tenants",
    lazy: async () => ({ Component: (await import("../tenants/tenants-page")).TenantsPage }),
  },
  {
    path: "tenants/new",
    lazy: async () => ({ Component: (await import("../tenants/tenant-form")).NewTenantPage }),
  },
  {
    path: "tenants/:name",
    lazy: async () => ({ Component: (await import("../tenants/tenant-page")).TenantPage }),
  },
  {
    path: "tenants/:name/edit",
    lazy: async () => ({ Component: (await import("../tenants/tenant-form")).EditTenantPage }),
  },
  {
    path: "projects",
    lazy: async () => ({ Component: (await import("../projects/projects-page")).ProjectsPage }),
  },
  {
    path: "projects/new",
    lazy: async () => ({ Component: (await import("../projects/project-form")).NewProjectPage }),
  },
  {
    path: "projects/:name",
    lazy: async () => ({ Component: (await import("../projects/project-page")).ProjectPage }),
  },
  {
    path: "projects/:name/edit",
    lazy: async () => ({ Component: (await import("../projects/project-form")).EditProjectPage }),
  },
  { path: "roles", lazy: async () => ({ Component: (await import("../roles/roles-page")).RolesPage }) },
  { path: "roles/new", lazy: async () => ({ Component: (await import("../roles/role-form")).NewRolePage }) },
  { path: "roles/:name", lazy: async () => ({ Component: (await import("../roles/role-page")).RolePage }) },
  {
    path: "roles/:name/edit",
    lazy: async () => ({ Component: (await import("../roles/role-form")).EditRolePage }),
  },
  { path: "grants", lazy: async () => ({ Component: (await import("../grants/grants-page")).GrantsPage }) },
  {
    path: "grants/new",
    lazy: async () => ({ Component: (await import("../grants/grant-form")).NewGrantPage }),
  },
  { path: "access", lazy: async () => ({ Component: (await import("../access/access-page")).AccessPage }) },
  { path: "users", lazy: async () => ({ Component: (await import("../people/users-page")).UsersPage }) },
  {
    path: "users/invite",
    lazy: async () => ({ Component: (await import("../people/invite-page")).InvitePage }),
  },
  { path: "users/:name", lazy: async () => ({ Component: (await import("../people/user-page")).UserPage }) },
  {
    path: "users/:name/edit",
    lazy: async () => ({ Component: (await import("../people/user-form")).EditUserPage }),
  },
  {
    path: "providers",
    lazy: async () => ({ Component: (await import("../providers/providers-page")).ProvidersPage }),
  },
  {
    path: "providers/new",
    lazy: async () => ({ Component: (await import("../providers/provider-form")).NewProviderPage }),
  },
  {
    path: "providers/:name",
    lazy: async () => ({ Component: (await import("../providers/provider-page")).ProviderPage }),
  },
  {
    path: "providers/:name/edit",
    lazy: async () => ({ Component: (await import("../providers/provider-form")).EditProviderPage }),
  },
  {
    path: "account",
    lazy: async () => ({ Component: (await import("../account/account-page")).AccountPage }),
  },
  {
    path: "templates",
    lazy: async () => ({ Component: (await import("../templates/templates-page")).TemplatesPage }),
  },
  {
    path: "templates/new",
    lazy: async () => ({ Component: (await import("../templates/write-page")).NewTemplatePage }),
  },
  {
    path: "templates/:name",
    lazy: async () => ({ Component: (await import("../templates/template-page")).TemplatePage }),
  },
  {
    path: "templates/:name/edit",
    lazy: async () => ({ Component: (await import("../templates/write-page")).EditTemplatePage }),
  },
  {
    path: "metering",
    lazy: async () => ({ Component: (await import("../metering/metering-page")).MeteringPage }),
  },
];
