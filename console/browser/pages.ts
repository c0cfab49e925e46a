// The pages that are looked at in a browser, and what is done on each first.

import type { Page } from "playwright-core";

export interface Shown {
  name: string;
  path: string;
  /** What is there when the page is. */
  ready: string;
  /** What is done first. */
  act?: (page: Page) => Promise<void>;
  isSignedOut?: true;
}

const explorer = "/clusters/acme.production-01/explorer";
const pod = `${explorer}/pods/shop/web-5d8f7c9b6-k7r9t`;

export const shown: Shown[] = [
  { name: "sign-in", path: "/", ready: "text=Company sign-in", isSignedOut: true },
  { name: "overview", path: "/", ready: "text=Recent activity" },
  { name: "clusters", path: "/clusters", ready: "text=48 clusters" },
  { name: "create", path: "/clusters/create", ready: ".cm-content" },
  { name: "import", path: "/clusters/import?cluster=branch", ready: "text=kubectl apply" },
  { name: "cluster", path: "/clusters/acme.production-01", ready: "text=Download kubeconfig" },
  {
    name: "upgrade",
    path: "/clusters/acme.production-01",
    ready: "role=button[name=Upgrade]",
    act: (page) => page.getByRole("button", { name: "Upgrade" }).click(),
  },
  {
    name: "palette",
    path: "/clusters",
    ready: "text=48 clusters",
    act: async (page) => {
      await page.keyboard.press("Control+k");
      await page.getByRole("combobox", { name: "Search" }).fill("prod");
    },
  },
  { name: "explorer-list", path: `${explorer}/pods`, ready: "text=load-000001" },
  {
    name: "explorer-workload",
    path: `${explorer}/deployments.apps/shop/web`,
    ready: "text=ScalingReplicaSet",
  },
  { name: "explorer-pod", path: pod, ready: "text=port-forward" },
  { name: "explorer-yaml", path: `${explorer}/configmaps/shop/settings/yaml`, ready: ".cm-content" },
  {
    name: "explorer-review",
    path: `${explorer}/configmaps/shop/settings/yaml`,
    ready: ".cm-content",
    act: async (page) => {
      await page.locator(".cm-line", { hasText: "greeting" }).click();
      await page.keyboard.press("End");
      await page.keyboard.type(" world");
      await page.getByRole("button", { name: "Review the changes" }).click();
      await page.locator(".cm-changedLine").first().waitFor();
    },
  },
  { name: "explorer-create", path: `${explorer}/create?namespace=shop`, ready: ".cm-content" },
  { name: "explorer-logs", path: `${pod}/logs`, ready: "text=answered GET" },
  {
    name: "explorer-shell",
    path: `${pod}/shell`,
    ready: "text=Open a shell",
    act: async (page) => {
      await page.getByRole("button", { name: "Open a shell" }).click();
      await page.locator(".xterm-rows", { hasText: "/app $" }).waitFor();
      await page.keyboard.type("hello\r");
      await page.locator(".xterm-rows", { hasText: "/app $ hello" }).waitFor();
    },
  },
  {
    name: "explorer-drain",
    path: `${explorer}/nodes/-/worker-1`,
    ready: "role=button[name=Drain]",
    act: async (page) => {
      await page.getByRole("button", { name: "Drain" }).click();
      await page.getByText("will be evicted").waitFor();
    },
  },
  { name: "audit", path: "/audit", ready: "text=tried to delete" },
  { name: "create-from-template", path: "/clusters/create?template=small", ready: "text=zone (required)" },
  {
    name: "schedule",
    path: "/clusters/acme.production-01",
    ready: "role=button[name='Set one']",
    act: (page) => page.getByRole("button", { name: "Set one" }).click(),
  },
  {
    name: "clone",
    path: "/clusters/acme.production-01",
    ready: "role=button[name='More actions']",
    act: async (page) => {
      await page.getByRole("button", { name: "More actions" }).click();
      await page.getByRole("menuitem", { name: "Clone" }).click();
      await page.getByLabel("Name of the clone").waitFor();
    },
  },
  { name: "events", path: "/clusters/acme.production-01/events", ready: "text=BackOff" },
  { name: "datastores", path: "/datastores", ready: "text=etcd-a" },
  { name: "datastore", path: "/datastores/etcd-a", ready: "text=3 of 3 members answer" },
  {
    name: "move",
    path: "/clusters/acme.production-01",
    ready: "role=button[name='More actions']",
    act: async (page) => {
      await page.getByRole("button", { name: "More actions" }).click();
      await page.getByRole("menuitem", { name: "Move to another data store" }).click();
      await page.getByLabel("To", { exact: true }).waitFor();
    },
  },
  { name: "backups", path: "/clusters/acme.production-01/backups", ready: "text=before-upgrade" },
  {
    name: "backup",
    path: "/clusters/acme.production-01/backups",
    ready: "role=button[name='Take a backup']",
    act: (page) => page.getByRole("button", { name: "Take a backup" }).click(),
  },
  {
    name: "restore",
    path: "/clusters/acme.production-01/backups",
    ready: "role=button[name='Restore from before-upgrade']",
    act: (page) => page.getByRole("button", { name: "Restore from before-upgrade" }).click(),
  },
  { name: "templates", path: "/templates", ready: "text=For one team" },
  { name: "template", path: "/templates/small", ready: "text=Version 1.1" },
  { name: "template-edit", path: "/templates/small/edit", ready: ".cm-content" },
  { name: "tenants", path: "/tenants", ready: "text=acme-labs-night" },
  { name: "tenant", path: "/tenants/acme-labs", ready: "text=group company:developers" },
  { name: "tenant-edit", path: "/tenants/acme/edit", ready: "text=Quota: empty is no limit" },
  { name: "projects", path: "/projects", ready: "text=forecasts" },
  { name: "project", path: "/projects/checkout", ready: "text=checkout-jobs" },
  { name: "metering", path: "/metering", ready: ".chart svg" },
  { name: "users", path: "/users", ready: "text=Dana Petrov" },
  { name: "user", path: "/users/dana", ready: "text=tenant-owner" },
  { name: "invite", path: "/users/invite?tenant=acme", ready: "text=User name" },
  { name: "grants", path: "/grants", ready: "text=dana-at-acme" },
  { name: "grant", path: "/grants/new?tenant=acme", ready: "text=Name of the grant" },
  { name: "roles", path: "/roles", ready: "text=platform-admin" },
  { name: "role", path: "/roles/deployer", ready: "text=deployments" },
  {
    name: "access",
    path: "/access?user=eli&verb=delete&resource=clusters&kind=tenant&place=borealis",
    ready: "text=Denied",
  },
  { name: "providers", path: "/providers", ready: "text=Company sign-in" },
  { name: "provider", path: "/providers/company", ready: "text=callback" },
  { name: "provider-edit", path: "/providers/directory/edit", ready: "text=Who searches" },
  { name: "account", path: "/account", ready: "text=deploy from CI" },
  {
    name: "second-factor",
    path: "/account",
    ready: "role=button[name='Add an app']",
    act: async (page) => {
      await page.getByRole("button", { name: "Add an app" }).click();
      await page.getByLabel("Your password").fill("correct horse");
      await page.getByRole("button", { name: "Go on" }).click();
      await page.getByRole("img", { name: "QR code for your authenticator app" }).waitFor();
    },
  },
  { name: "settings", path: "/settings", ready: "text=server.auditDays" },
  { name: "first-steps", path: "/?first-steps=shown", ready: "text=Add an identity provider" },
  { name: "device", path: "/device?code=BCDF-GHJK", ready: "text=Let it in" },
];
