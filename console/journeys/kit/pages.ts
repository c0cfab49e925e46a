// What people do in the console again and again.

import type { Page } from "playwright-core";

/** How long a control plane may take on a busy machine. */
const startsWithin = 4 * 60_000;

export async function signIn(page: Page, user: string, password: string): Promise<void> {
  await page.goto("/");
  await page.getByLabel("Name", { exact: true }).fill(user);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("button", { name: `Signed in as ${user}` }).waitFor();
}

/** Follows the navigation, as it is named there. */
export async function go(page: Page, to: string): Promise<void> {
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: to, exact: true }).click();
  await heading(page, to);
}

export async function heading(page: Page, text: string): Promise<void> {
  await page.getByRole("heading", { level: 1, name: text, exact: true }).waitFor();
}

/** Waits until the head of the shown cluster, tenant or object tells a state. */
export async function state(page: Page, label: string): Promise<void> {
  const head = page.locator("main header").first();
  await head.getByText(label, { exact: true }).waitFor({ timeout: startsWithin });
}

export async function makeTenant(page: Page, name: string): Promise<void> {
  await go(page, "Tenants");
  await page.getByRole("link", { name: "Make a tenant" }).first().click();
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByRole("button", { name: "Make", exact: true }).click();
  await heading(page, name);
}

export interface Wanted {
  name: string;
  tenant: string;
  version?: string;
}

/** Fills in the form for a cluster of one pod. */
export async function describeCluster(page: Page, { name, tenant, version }: Wanted): Promise<void> {
  await go(page, "Clusters");
  await page.getByRole("link", { name: "Create", exact: true }).first().click();
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("Tenant", { exact: true }).selectOption(tenant);
  await page.getByLabel("Pods of the control plane").selectOption("1");
  if (version !== undefined) {
    await page.getByLabel("Version of Kubernetes").fill(version);
  }
}

/** Makes what the form holds, and arrives at the page of the cluster. */
export async function createCluster(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await heading(page, name);
}

/** Follows a tab of the cluster that is shown. */
export async function tab(page: Page, name: string): Promise<void> {
  await page.getByRole("navigation", { name: "Cluster" }).getByRole("link", { name, exact: true }).click();
}

/** In the explorer of a cluster: makes what YAML describes. */
export async function makeFromYaml(page: Page, yaml: string): Promise<void> {
  await page.getByRole("link", { name: "Create from YAML" }).click();
  await page.locator(".cm-content").click();
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText(yaml);
  await page.getByRole("button", { name: "Create", exact: true }).click();
  const count = yaml.split(/^---$/m).length;
  await page.getByText(`${count} of ${count} object${count === 1 ? "" : "s"} made`).waitFor();
}

/** Presses a button of the page, and the one of the same name in the dialog that asks. */
export async function confirmed(page: Page, action: string): Promise<void> {
  await page.getByRole("button", { name: action, exact: true }).click();
  const dialog = page.getByRole("alertdialog");
  await dialog.getByRole("button", { name: action, exact: true }).click();
  await dialog.waitFor({ state: "hidden" });
}

/** Deletes or forgets the cluster whose page is shown, and sees it go from the list. */
export async function remove(page: Page, name: string, action: "Delete" | "Forget"): Promise<void> {
  await page.getByRole("button", { name: "More actions" }).click();
  await page.getByRole("menuitem", { name: action }).click();
  const dialog = page.getByRole("alertdialog");
  await dialog.getByLabel(`Type ${name} to confirm`).fill(name);
  await dialog.getByRole("button", { name: action, exact: true }).click();
  await heading(page, "Clusters");
  await page.getByRole("link", { name, exact: true }).waitFor({ state: "hidden", timeout: startsWithin });
}
