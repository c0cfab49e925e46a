// People of the played hub, what they may do, and projects that they work in.

import type { Seed } from "../objects.ts";

export const users: Seed<"users"> = {
  admin: { spec: { displayName: "First user" } },
  dana: { spec: { displayName: "Dana Petrov", email: "dana@acme.example", tenant: "acme" } },
  eli: { spec: { displayName: "Eli Brandt", email: "eli@borealis.example", tenant: "borealis" } },
  careful: { spec: { displayName: "Careful Carla", tenant: "acme-labs" } },
  "corp-olga-3f9a2c1b77d0": { spec: { displayName: "Olga", disabled: true } },
};

export const grants: Seed<"grants"> = {
  "first-user": { spec: { user: "admin", role: "platform-admin", scope: { platform: true } } },
  "dana-at-acme": { spec: { user: "dana", role: "tenant-owner", scope: { tenant: "acme" } } },
  developers: {
    spec: { group: "company:developers", role: "cluster-owner", scope: { tenant: "acme-labs" } },
  },
  "eli-at-borealis": { spec: { user: "eli", role: "read-only", scope: { tenant: "borealis" } } },
  "carla-at-checkout": { spec: { user: "careful", role: "project-member", scope: { project: "checkout" } } },
  "deployers-at-edge": {
    spec: { group: "company:ci", role: "deployer", scope: { cluster: "acme.production-01" } },
  },
};

export const roles: Seed<"roles"> = {
  deployer: {
    spec: {
      displayName: "Deployer",
      tenant: "acme",
      hub: [{ resources: ["clusters"], verbs: ["get", "list", "watch", "connect"] }],
      cluster: [
        { apiGroups: ["apps"], resources: ["deployments"], verbs: ["get", "list", "patch"] },
        { apiGroups: [""], resources: ["pods", "pods/log"], verbs: ["get", "list", "watch"] },
      ],
    },
  },
};

export const projects: Seed<"projects"> = {
  checkout: {
    spec: {
      tenant: "acme",
      displayName: "Checkout",
      namespaces: [
        { cluster: "acme.production-01", namespace: "checkout" },
        { cluster: "acme.production-01", namespace: "checkout-jobs" },
      ],
      quota: { "requests.cpu": "8", "limits.memory": "16Gi", pods: "60" },
    },
  },
  forecasts: { spec: { tenant: "borealis", displayName: "Forecasts" } },
};

export const providers: Seed<"providers"> = {
  company: {
    spec: {
      displayName: "Company sign-in",
      createUsers: true,
      oidc: { issuer: "https://id.example.com", clientId: "flotilla" },
    },
  },
  directory: {
    spec: {
      displayName: "Directory",
      tenant: "acme",
      ldap: {
        url: "ldaps://ldap.example.com",
        bindDn: "cn=flotilla,ou=services,dc=example,dc=com",
        userBase: "ou=people,dc=example,dc=com",
        userFilter: "(uid={user})",
        groupBase: "ou=groups,dc=example,dc=com",
      },
    },
  },
};
