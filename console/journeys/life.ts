// A cluster is upgraded, put to sleep and woken; its page and the list show each state without being loaded anew.

import { tell } from "./kit/journey.ts";
import { confirmed, createCluster, describeCluster, makeTenant, remove, signIn, state } from "./kit/pages.ts";

const older = "v1.35.4";
const newer = "v1.36.3";
const name = "ferry";
const tenant = "ferries";

await tell(async (journey) => {
  const { user, password } = journey.settings;
  const page = await journey.visitor(user);
  await journey.step("the first user signs in, and makes a cluster of an older version", async () => {
    await signIn(page, user, password);
    await makeTenant(page, tenant);
    await describeCluster(page, { name, tenant, version: older });
    await createCluster(page, name);
  });
  const list = await journey.visitor("second window", { storageState: await page.context().storageState() });
  await list.goto("/clusters");
  const row = list.getByRole("row").filter({ has: list.getByRole("link", { name, exact: true }) });
  const listed = (label: string) => row.getByText(label, { exact: true }).waitFor();

  await journey.step("it is ready", async () => {
    await state(page, "Ready");
    await state(page, `Kubernetes ${older}`);
    await listed("Ready");
  });

  await journey.step("it is upgraded, and both windows follow", async () => {
    await page.getByRole("button", { name: "Upgrade", exact: true }).click();
    const dialog = page.getByRole("alertdialog");
    await dialog.getByLabel("New version").fill("v1.37.0");
    await dialog.getByText("one minor version at a time").waitFor();
    await dialog.getByLabel("New version").fill(newer);
    await dialog.getByText("Workers keep their version").waitFor();
    await journey.picture(page, "upgrade");
    await dialog.getByRole("button", { name: "Upgrade", exact: true }).click();
    await Promise.all([state(page, "Upgrading"), listed("Upgrading")]);
    await state(page, `Kubernetes ${newer}`);
    await state(page, "Ready");
    await listed("Ready");
  });

  await journey.step("it is put to sleep", async () => {
    await confirmed(page, "Put to sleep");
    await state(page, "Sleeping");
    await listed("Sleeping");
    await journey.picture(list, "clusters");
  });

  await journey.step("it is woken", async () => {
    await confirmed(page, "Wake");
    await state(page, "Ready");
    await listed("Ready");
  });

  await journey.step("it is deleted, and leaves both windows", async () => {
    await remove(page, name, "Delete");
    await row.waitFor({ state: "hidden" });
  });
});
