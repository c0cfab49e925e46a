// What only a real browser shows: five thousand clusters are scrolled through, names that are scripts stay text, files
// are saved.

import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MockHub } from "../mock/hub.ts";
import { type Site, serve } from "./site.ts";

let browser: Browser;
let site: Site;
const hub = new MockHub({ clusters: 5000 });

beforeAll(async () => {
  site = await serve(hub);
  browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
});

afterAll(async () => {
  await browser?.close();
  site?.stop();
});

test("all of them are reached, and only those in sight are drawn", async () => {
  const page = await browser.newPage();
  await page.goto(`${site.url}/clusters?sort=-name`);
  await page.getByText("5,000 clusters").waitFor();
  await page.getByRole("row").nth(1).focus();
  await page.keyboard.press("End");
  await page.getByRole("link", { name: "analytics-01" }).waitFor();
  expect(await page.getByRole("row").count()).toBeLessThan(60);
  await page.close();
});

test("a name that is a script runs nothing", async () => {
  const page = await browser.newPage();
  const asked: string[] = [];
  page.on("dialog", (dialog) => dialog.dismiss().then(() => asked.push(dialog.message())));
  const name = `<img src=x onerror=alert(1)><script>alert(2)</script>`;
  hub.inventory.set({
    id: "evil",
    name,
    kind: "imported",
    state: "Lost",
    conditions: [],
    labels: { [name]: name },
  });
  for (const path of ["/clusters?search=evil", "/clusters/evil", "/"]) {
    await page.goto(site.url + path);
    await page.getByText(name).first().waitFor();
  }
  expect(asked).toEqual([]);
  await page.close();
});

test("a kubeconfig is saved behind the policy", async () => {
  const page = await browser.newPage();
  await page.goto(`${site.url}/clusters/acme.production-01`);
  const saved = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download kubeconfig" }).click();
  expect((await saved).suggestedFilename()).toBe("acme.production-01.yaml");
  await page.close();
});
