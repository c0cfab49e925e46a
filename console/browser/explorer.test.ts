// What only a real browser shows of the explorer: fifty thousand pods, objects of a megabyte, logs and names that are
// scripts, a shell.

import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MockHub } from "../mock/hub.ts";
import { type Site, serve } from "./site.ts";

let browser: Browser;
let site: Site;
const hub = new MockHub({ clusters: 8, pods: 50_000 });
const root = "/clusters/acme.production-01/explorer";

beforeAll(async () => {
  site = await serve(hub);
  browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
});

afterAll(async () => {
  await browser?.close();
  site?.stop();
});

async function at(path: string): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(site.url + root + path);
  return page;
}

test("the first of fifty thousand pods are there while the others come; the last is reached and stays live", async () => {
  const page = await at("/pods");
  await page.getByText("more on their way").waitFor();
  await page.getByRole("link", { name: "web-5d8f7c9b6-k7r9t" }).waitFor();
  await page.getByText("50,005 objects").waitFor();
  await page.getByRole("row").nth(1).focus();
  await page.keyboard.press("End");
  await page.getByRole("link", { name: "load-049999" }).waitFor();
  expect(await page.getByRole("row").count()).toBeLessThan(60);
  const metadata = { name: "the-last-one", namespace: "load" };
  hub.cluster.put({ apiVersion: "v1", kind: "Pod", metadata, status: { phase: "Running" } });
  await page.getByText("50,006 objects").waitFor();
  await page.getByRole("searchbox", { name: "Search by name" }).fill("the-last");
  await page.getByRole("link", { name: "the-last-one" }).waitFor();
  await page.close();
});

const megabyte = 1_000_000;
const large: Record<string, Record<string, string>> = {
  lines: Object.fromEntries(
    Array.from({ length: 20_000 }, (_, number) => [`key-${number}`, `value ${"x".repeat(30)} ${number}`]),
  ),
  "one-line": { all: "y".repeat(megabyte) },
  "one-text": { all: "a line of many\n".repeat(megabyte / 15) },
};

test.each(Object.keys(large))("an object of a megabyte is looked at and changed: %s", async (name) => {
  const metadata = { name, namespace: "shop" };
  hub.cluster.put({ apiVersion: "v1", kind: "ConfigMap", metadata, data: { aaa: "first", ...large[name] } });
  const page = await at(`/configmaps/shop/${name}/yaml`);
  await page.locator(".cm-line", { hasText: "aaa: first" }).click();
  await page.keyboard.press("End");
  await page.keyboard.type(" changed");
  await page.getByRole("button", { name: "Review the changes" }).click();
  await page.locator(".cm-changedLine", { hasText: "aaa: first changed" }).waitFor();
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText(`${name} is saved`).waitFor();
  await page.close();
});

test("names and logs that are scripts run nothing, in lists, objects and logs", async () => {
  const asked: string[] = [];
  const hostile = `<img src=x onerror=alert(1)><script>alert(2)</script>`;
  hub.cluster.put({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: hostile, namespace: "shop", labels: { [hostile]: hostile } },
    data: { [hostile]: hostile },
  });
  const path = `/configmaps/shop/${encodeURIComponent(hostile)}`;
  for (const shown of ["/configmaps?namespace=shop", path, `${path}/yaml`]) {
    const page = await at(shown);
    page.on("dialog", (dialog) => dialog.dismiss().then(() => asked.push(dialog.message())));
    await page.getByText("onerror=alert(1)").first().waitFor();
    await page.close();
  }
  const page = await at("/pods/shop/web-5d8f7c9b6-k7r9t/logs");
  page.on("dialog", (dialog) => dialog.dismiss().then(() => asked.push(dialog.message())));
  await page.getByText("globalThis.hacked").waitFor();
  expect(await page.locator("img[src=x]").count()).toBe(0);
  await page.close();
  expect(asked).toEqual([]);
});

test("a log is saved whole", async () => {
  const page = await at("/pods/shop/web-5d8f7c9b6-k7r9t/logs");
  const saved = page.waitForEvent("download");
  await page.getByRole("link", { name: "Save all of it" }).click();
  expect((await saved).suggestedFilename()).toBe("web-5d8f7c9b6-k7r9t-web.log");
  await page.close();
});

test("fields are offered while one types", async () => {
  const page = await at("/deployments.apps/shop/web/yaml");
  await page
    .locator(".cm-line", { hasText: /^spec:/ })
    .first()
    .click();
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  await page.keyboard.type("  pau");
  await page.locator(".cm-tooltip-autocomplete", { hasText: "paused" }).waitFor();
  await page.close();
});
