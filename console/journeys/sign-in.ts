// All ways to sign in: a password, a second factor, a passkey, a directory, and a provider that the browser is led to.

import { createHmac } from "node:crypto";
import type { Page } from "playwright-core";
import { tell } from "./kit/journey.ts";
import { heading, signIn } from "./kit/pages.ts";

const key = "A key of this browser";
/** Seconds that a code of the second factor is good for. */
const step = 30;

await tell(async (journey) => {
  const { user, password } = journey.settings;
  const page = await journey.visitor(user);
  await withAuthenticator(page);
  const account = () => menu(page, user, "Your account");
  const proof = page.getByRole("alertdialog");

  await journey.step("the first user signs in with the password", () => signIn(page, user, password));

  await journey.step("a passkey is added, once the password was shown again", async () => {
    await account();
    await page.getByLabel("Name of a new passkey").fill(key);
    await page.getByRole("button", { name: "Add a passkey" }).click();
    await proof.getByLabel("Your password").fill(password);
    await proof.getByRole("button", { name: "Go on" }).click();
    await page.getByRole("button", { name: `Delete ${key}` }).waitFor();
  });

  await journey.step("it signs in alone", async () => {
    await menu(page, user, "Sign out");
    await page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await page.getByRole("button", { name: `Signed in as ${user}` }).waitFor();
  });

  await journey.step("a passkey that was deleted signs nobody in", async () => {
    await account();
    await page.getByRole("button", { name: `Delete ${key}` }).click();
    await proof.getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByRole("button", { name: `Delete ${key}` }).waitFor({ state: "hidden" });
    await menu(page, user, "Sign out");
    await page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await page.getByRole("alert").waitFor();
    await signIn(page, user, password);
  });

  const secret = await journey.step("a second factor is added", async () => {
    await account();
    await page.getByRole("button", { name: "Add an app" }).click();
    await proof.getByLabel("Your password").fill(password);
    await proof.getByRole("button", { name: "Go on" }).click();
    const dialog = page.getByRole("dialog", { name: "Add an authenticator app" });
    await dialog.getByText("The app reads no picture").click();
    const shown = (await dialog.locator("pre").textContent()) ?? "";
    await dialog.getByLabel("Code of the app").fill(codeOf(shown, 0));
    await dialog.getByRole("button", { name: "Confirm" }).click();
    await page
      .getByText(/^[a-z0-9]{4}(-[a-z0-9]{4}){3}/)
      .first()
      .waitFor();
    return shown;
  });

  await journey.step("the password alone suffices no more", async () => {
    const other = await journey.visitor("another browser");
    await other.goto("/");
    await other.getByLabel("Name", { exact: true }).fill(user);
    await other.getByLabel("Password", { exact: true }).fill(password);
    await other.getByRole("button", { name: "Sign in", exact: true }).click();
    // The code of now was used by whoever confirmed it.
    await other.getByLabel("Code").fill(codeOf(secret, 1));
    await other.getByRole("button", { name: "Sign in", exact: true }).click();
    await other.getByRole("button", { name: `Signed in as ${user}` }).waitFor();
  });

  await journey.step("somebody of the directory signs in", async () => {
    const other = await journey.visitor("lena");
    await other.goto("/");
    await other.getByLabel("Account").selectOption("staff");
    await other.getByLabel("Name", { exact: true }).fill("lena");
    await other.getByLabel("Password", { exact: true }).fill("lena-password");
    await other.getByRole("button", { name: "Sign in", exact: true }).click();
    await other.getByRole("button", { name: /^Signed in as .*lena/ }).waitFor();
  });

  await journey.step(
    "somebody of the provider is led there, and back to where they wanted to go",
    async () => {
      const other = await journey.visitor("otto");
      await other.goto("/tenants");
      await heading(other, "Sign in to Flotilla");
      await other.getByRole("link", { name: "Company" }).click();
      await other.locator("input[name=login]").fill("otto");
      await other.locator("input[name=password]").fill("otto-password");
      await other.locator("button[type=submit]").click();
      await other.getByRole("button", { name: /^Signed in as .*otto/ }).waitFor();
      await heading(other, "Tenants");
    },
  );
});

async function menu(page: Page, user: string, entry: string): Promise<void> {
  await page.getByRole("button", { name: `Signed in as ${user}` }).click();
  await page.getByRole("menuitem", { name: entry }).click();
}

/** Gives the browser a key of its own, which verifies whoever uses it. */
async function withAuthenticator(page: Page): Promise<void> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("WebAuthn.enable");
  await devtools.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
}

/** What an app shows, now or so many codes later (RFC 6238). */
function codeOf(secret: string, later: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigInt64BE(BigInt(Math.floor(Date.now() / 1000 / step) + later));
  const tag = createHmac("sha1", fromBase32(secret)).update(counter).digest();
  const four = tag.readUInt32BE((tag.at(-1) ?? 0) & 0x0f) & 0x7f_ff_ff_ff;
  return String(four % 1_000_000).padStart(6, "0");
}

function fromBase32(text: string): Buffer {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const values = [...text.trim()]
    .filter((letter) => letters.includes(letter))
    .map((letter) => letters.indexOf(letter));
  const bits = values.map((value) => value.toString(2).padStart(5, "0")).join("");
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}
