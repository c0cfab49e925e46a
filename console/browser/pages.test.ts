// Every page in a real browser, in both themes and three widths: no barrier, nothing beside the edge, nothing that the
// policy stops. With SCREENSHOTS=directory each is kept as a picture.

import axe from "axe-core";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MockHub } from "../mock/hub.ts";
import { shown } from "./pages.ts";
import { type Site, serve } from "./site.ts";
import { looked, type View } from "./views.ts";

let browser: Browser;
let site: Site;
let signedOut: Site;

beforeAll(async () => {
  site = await serve(new MockHub({ clusters: 48 }));
  signedOut = await serve(new MockHub({ user: "" }));
  browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
});

afterAll(async () => {
  await browser?.close();
  site?.stop();
  signedOut?.stop();
});

test.concurrent.each(shown)("$name", async ({ name, path, ready, act, isSignedOut }) => {
  const context = await browser.newContext({ reducedMotion: "reduce" });
  const page = await context.newPage();
  const told: string[] = [];
  page.on("console", (message) => message.type() === "error" && told.push(message.text()));
  page.on("pageerror", (error) => told.push(error.message));
  await page.setViewportSize(looked[0].viewport);
  await page.goto((isSignedOut === true ? signedOut : site).url + path);
  await page.locator(ready).first().waitFor();
  await act?.(page);
  // As on a phone that is turned, and at nightfall: the page stays and what is open on it.
  for (const view of looked) {
    await look(page, view);
    if (process.env.SCREENSHOTS !== undefined) {
      const picture = `${name}-${view.colorScheme}-${view.viewport.width}.png`;
      await page.screenshot({ path: `${process.env.SCREENSHOTS}/${picture}` });
    }
    const where = `${view.colorScheme} ${view.viewport.width}`;
    expect(await barriers(page), where).toEqual([]);
    const beyond = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
    expect(beyond, where).toBeLessThanOrEqual(0);
  }
  // Whoever is not signed in is told so by a status that browsers write down, too.
  expect(told.filter((line) => !line.includes("401"))).toEqual([]);
  await context.close();
});

async function look(page: Page, { colorScheme, viewport }: View): Promise<void> {
  await page.setViewportSize(viewport);
  await page.emulateMedia({ colorScheme });
}

async function barriers(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return page.evaluate<string[]>(
    "axe.run().then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ': ' + html)))",
  );
}
