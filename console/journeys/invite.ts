// A person is invited to look after one tenant, and sees and does there what the role gives, and nothing elsewhere.

import type { Page } from "playwright-core";
import { tell } from "./kit/journey.ts";
import { go, heading, makeTenant, signIn } from "./kit/pages.ts";

const tenant = "marina";
const person = "mia";
const otherTenant = "jetty";
/** Made by `flotilla up`; of no tenant. */
const foreign = { name: "first", path: "/clusters/tenants.first" };
const chosen = "words that only mia knows";

await tell(async (journey) => {
  const { user, password } = journey.settings;
  const admin = await journey.visitor(user);

  await journey.step("the first user sees all clusters", async () => {
    await signIn(admin, user, password);
    await go(admin, "Clusters");
    await admin.getByRole("link", { name: foreign.name, exact: true }).waitFor();
  });

  await journey.step("two tenants are made", async () => {
    await makeTenant(admin, otherTenant);
    await makeTenant(admin, tenant);
  });

  const given = await journey.step("somebody is invited to look after one of them", async () => {
    await go(admin, "Users");
    await admin.getByRole("link", { name: "Invite somebody" }).first().click();
    await admin.getByLabel("User name").fill(person);
    await admin.getByLabel("Name", { exact: true }).fill("Mia Marsh");
    await admin.getByLabel("Role", { exact: true }).selectOption("tenant-owner");
    await admin.getByLabel("Which tenant").fill(tenant);
    await journey.picture(admin, "invite");
    await admin.getByRole("button", { name: "Invite", exact: true }).click();
    await heading(admin, `${person} is invited`);
    const text = await admin.getByRole("region", { name: "Hand this over" }).locator("pre").textContent();
    return /^Password: (.+)$/m.exec(text ?? "")?.[1] ?? "";
  });

  const page = await journey.visitor(person);
  await journey.step("she signs in with what was handed over, and chooses a password", async () => {
    await signIn(page, person, given);
    await page.getByRole("button", { name: `Signed in as ${person}` }).click();
    await page.getByRole("menuitem", { name: "Your account" }).click();
    await page.getByLabel("The one that you have").fill(given);
    await page.getByLabel("The new one", { exact: true }).fill(chosen);
    await page.getByLabel("The new one again").fill(chosen);
    await page.getByRole("button", { name: "Change the password" }).click();
    await page.getByText("Your password is changed").waitFor();
  });

  await journey.step("she sees her tenant, and no cluster of others", async () => {
    await go(page, "Tenants");
    await page.getByRole("link", { name: tenant, exact: true }).waitFor();
    await page.getByRole("link", { name: otherTenant, exact: true }).waitFor({ state: "hidden" });
    await go(page, "Clusters");
    await page.getByText("There are no clusters yet").waitFor();
    await journey.picture(page, "invited");
  });

  await journey.step("what is foreign is not there for her", async () => {
    await page.goto(foreign.path);
    await page.getByText("There is no such cluster").waitFor();
    await page.goto(`${foreign.path}/explorer/pods`);
    await page.getByRole("alert").first().waitFor();
    await page.goto(`/tenants/${otherTenant}`);
    await page.getByText("There is nothing of this name").waitFor();
  });

  await journey.step("the password that was handed over is good no more", async () => {
    const other = await journey.visitor("somebody else");
    await other.goto("/");
    await refused(other, given);
    await signIn(other, person, chosen);
  });

  await journey.step("a role that is taken away is gone with the next request", async () => {
    await go(admin, "Tenants");
    await admin.getByRole("link", { name: tenant, exact: true }).click();
    await admin.getByRole("button", { name: /^Take away tenant-owner from .*mia/ }).click();
    const dialog = admin.getByRole("alertdialog");
    await dialog.getByRole("button", { name: "Take away", exact: true }).click();
    await dialog.waitFor({ state: "hidden" });
    await page.goto(`/tenants/${tenant}`);
    await page.getByText("There is nothing of this name").waitFor();
  });
});

async function refused(page: Page, password: string): Promise<void> {
  await page.getByLabel("Name", { exact: true }).fill(person);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("alert").waitFor();
}
