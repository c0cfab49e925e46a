// Measures the built console in Debian's Chromium with a played hub: how soon the first rows are there, and how smoothly
// long lists scroll. Prints figures of this machine; fails for none of them.

import { type Browser, chromium, type Page } from "playwright-core";
import { MockHub } from "../mock/hub.ts";
import { type Site, serve } from "./site.ts";

const times = 5;
/** Turns of the wheel, one in each sixtieth of a second, and how far each goes. */
const turns = 180;
const pixels = 240;

/** Milliseconds from the first byte that is asked for to the first row in sight. */
async function firstRow(browser: Browser, url: string): Promise<number> {
  const page = await browser.newPage();
  await page.goto(url, { waitUntil: "commit" });
  await page.locator("tbody tr a").first().waitFor();
  const took = await page.evaluate(() => performance.now());
  await page.close();
  return took;
}

/** Milliseconds of each frame while a list is scrolled. */
async function frames(page: Page): Promise<number[]> {
  await page.locator("tbody tr a").first().hover();
  await page.evaluate(() => {
    const seen: number[] = [];
    const note = (now: number) => {
      seen.push(now);
      requestAnimationFrame(note);
    };
    requestAnimationFrame(note);
    Object.assign(globalThis, { seen });
  });
  for (let turn = 0; turn < turns; turn += 1) {
    await page.mouse.wheel(0, pixels);
    await page.waitForTimeout(1000 / 60);
  }
  const seen = await page.evaluate(() => (globalThis as unknown as { seen: number[] }).seen);
  return seen.slice(1).map((now, at) => now - (seen[at] ?? now));
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function tell(name: string, milliseconds: number): void {
  process.stdout.write(`${name.padEnd(44)} ${milliseconds.toFixed(1).padStart(9)} ms\n`);
}

async function measure(
  browser: Browser,
  site: Site,
  name: string,
  { path, all }: { path: string; all: RegExp },
): Promise<void> {
  const url = site.url + path;
  const taken: number[] = [];
  for (let time = 0; time < times; time += 1) {
    taken.push(await firstRow(browser, url));
  }
  tell(`console_${name}_first_row`, quantile(taken, 0.5));
  const page = await browser.newPage();
  await page.goto(url);
  await page.locator("tbody tr a").first().waitFor();
  await page.getByText(all).waitFor();
  const took = await frames(page);
  tell(`console_${name}_frame_p50`, quantile(took, 0.5));
  tell(`console_${name}_frame_p95`, quantile(took, 0.95));
  tell(`console_${name}_frame_longest`, quantile(took, 1));
  await page.close();
}

const site = await serve(new MockHub({ clusters: 5000, pods: 50_000 }));
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
try {
  await measure(browser, site, "clusters5000", { path: "/clusters", all: /^5,000 clusters/ });
  await measure(browser, site, "pods50000", {
    path: "/clusters/acme.production-01/explorer/pods",
    all: /^50,005 objects/,
  });
} finally {
  await browser.close();
  site.stop();
}
