// A cluster is backed up; what was lost since comes back, and what was made since is gone. The volume for archives is
// there already: who runs the management cluster gives it to the tenant.

import type { Page } from "playwright-core";
import { tell } from "./kit/journey.ts";
import {
  createCluster,
  describeCluster,
  heading,
  makeFromYaml,
  remove,
  signIn,
  state,
  tab,
} from "./kit/pages.ts";

const tenant = "lighthouse";
const name = "keeper";
const volume = "archives";
const backup = "before-the-storm";
const kept = "logbook";
const later = "driftwood";
const cluster = `/clusters/${tenant}.${name}`;

await tell(async (journey) => {
  const { user, password } = journey.settings;
  const page = await journey.visitor(user);
  await journey.step("the first user signs in, and makes a cluster", async () => {
    await signIn(page, user, password);
    await describeCluster(page, { name, tenant });
    await createCluster(page, name);
    await state(page, "Ready");
  });

  await journey.step("something is in it that is worth keeping", () => make(page, kept));

  await journey.step("a backup is taken into a volume", async () => {
    await page.goto(cluster);
    await tab(page, "Backups");
    await page.getByText("It has no backups").waitFor();
    await page.getByRole("button", { name: "Take a backup" }).click();
    const dialog = page.getByRole("alertdialog");
    await dialog.getByLabel("Name", { exact: true }).fill(backup);
    await dialog.getByLabel("Kept in").selectOption("volume");
    await dialog.getByLabel("Volume claim").fill(volume);
    await dialog.getByRole("button", { name: "Take a backup", exact: true }).click();
    const row = page.getByRole("row").filter({ hasText: backup });
    await row.getByText("Completed", { exact: true }).waitFor({ timeout: 180_000 });
    await journey.picture(page, "backups");
  });

  await journey.step("one thing is lost, another one made", async () => {
    await page.goto(`${cluster}/explorer/configmaps/default/${kept}`);
    await heading(page, kept);
    await page.getByRole("button", { name: "More actions" }).click();
    await page.getByRole("menuitem", { name: "Delete" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByRole("link", { name: kept, exact: true }).waitFor({ state: "hidden" });
    await make(page, later);
  });

  await journey.step(
    "the backup is restored, and a page that is loaded anew shows how far it is",
    async () => {
      await page.goto(`${cluster}/backups`);
      await page.getByRole("button", { name: `Restore from ${backup}` }).click();
      const dialog = page.getByRole("alertdialog");
      await dialog.getByLabel(`Type ${name} to confirm`).fill(name);
      await dialog.getByRole("button", { name: "Restore", exact: true }).click();
      await state(page, "Restoring");
      await page.reload();
      await page.getByRole("list", { name: "Progress" }).waitFor();
      await journey.picture(page, "restore");
      await state(page, "Ready");
      await page.getByText(`From ${backup}`).waitFor();
    },
  );

  await journey.step("what was lost is back, and what was made since is gone", async () => {
    await page.goto(`${cluster}/explorer/configmaps?namespace=default`);
    await page.getByRole("link", { name: kept, exact: true }).waitFor();
    await page.getByRole("link", { name: later, exact: true }).waitFor({ state: "hidden" });
  });

  await journey.step("the cluster is deleted", async () => {
    await page.goto(cluster);
    await remove(page, name, "Delete");
  });
});

async function make(page: Page, object: string): Promise<void> {
  await page.goto(cluster);
  await tab(page, "Explorer");
  const yaml = `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${object}\n  namespace: default\n`;
  await makeFromYaml(page, yaml);
  await page.getByRole("link", { name: `ConfigMap ${object}` }).waitFor();
}
