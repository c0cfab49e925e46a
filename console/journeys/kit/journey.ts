// A journey: steps with names in a browser that trusts no keys but the hub's and its provider's. What fails says in which step, and leaves a
// picture of each page and what its console said.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { type Settings, settings } from "./settings.ts";
import { keyOf } from "./trust.ts";

/** How long a page may take for what it does by itself. */
const patience = 60_000;
/** How long a whole journey may take on a busy machine. */
const longest = 12 * 60_000;

const screen = { width: 1280, height: 800 };

export class Journey {
  readonly settings: Settings;
  readonly #browser: Browser;
  readonly #pages: Page[] = [];
  readonly #log: string[] = [];
  readonly #began = Date.now();
  /** What went wrong in pages, whatever the steps saw. */
  readonly #faults: string[] = [];

  private constructor(told: Settings, browser: Browser) {
    this.settings = told;
    this.#browser = browser;
  }

  static async begin(told: Settings): Promise<Journey> {
    const sites = told.provider === undefined ? [told.hub] : [told.hub, told.provider];
    const keys = await Promise.all(sites.map(keyOf));
    const browser = await chromium.launch({
      executablePath: "/usr/bin/chromium",
      args: ["--no-sandbox", "--no-proxy-server", `--ignore-certificate-errors-spki-list=${keys.join()}`],
    });
    return new Journey(told, browser);
  }

  /** Does something that a failure is told by. */
  async step<T>(title: string, act: () => Promise<T>): Promise<T> {
    const began = Date.now();
    this.#note(`step: ${title}`);
    try {
      const found = await act();
      process.stdout.write(`${title} (${seconds(began)})\n`);
      return found;
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`${title} (${seconds(began)}): ${why}`, { cause });
    }
  }

  /** A page of somebody whose browser knows nothing yet. */
  async visitor(name: string, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.#browser.newContext({
      baseURL: this.settings.hub.url.href,
      viewport: screen,
      colorScheme: "light",
      reducedMotion: "reduce",
      ...options,
    });
    context.setDefaultTimeout(patience);
    const page = await context.newPage();
    page.on("console", (message) => {
      this.#note(`${name}: ${message.type()}: ${message.text()}`);
      if (message.text().includes("Content Security Policy")) {
        this.#faults.push(message.text());
      }
    });
    page.on("pageerror", (error) => {
      this.#note(`${name}: uncaught: ${error.stack ?? error.message}`);
      this.#faults.push(error.message);
    });
    page.on("requestfailed", (request) =>
      this.#note(`${name}: ${request.method()} ${request.url()}: ${request.failure()?.errorText}`),
    );
    page.on("response", (response) => {
      if (response.status() >= 400) {
        this.#note(`${name}: ${response.request().method()} ${response.url()}: ${response.status()}`);
      }
    });
    this.#pages.push(page);
    return page;
  }

  /** Takes a picture for the documentation, if pictures are wanted. */
  async picture(page: Page, name: string): Promise<void> {
    if (this.settings.pictures !== undefined) {
      mkdirSync(this.settings.pictures, { recursive: true });
      // Notes of what was done before go by themselves.
      const notes = page.getByRole("button", { name: "Close", exact: true, includeHidden: true });
      await notes.first().waitFor({ state: "hidden" });
      await page.screenshot({ path: join(this.settings.pictures, `console-${name}.png`) });
    }
  }

  /** What no step is about, and no page may do. */
  check(): void {
    if (this.#faults.length > 0) {
      throw new Error(`pages failed: ${this.#faults.join("; ")}`);
    }
  }

  /** Keeps what tells why it failed. */
  async keep(): Promise<void> {
    const { directory } = this.settings;
    writeFileSync(join(directory, "console.log"), `${this.#log.join("\n")}\n`);
    for (const [number, page] of this.#pages.entries()) {
      const path = join(directory, `failed-${number + 1}.png`);
      await page.screenshot({ path, timeout: 10_000 }).catch(() => undefined);
    }
  }

  async end(): Promise<void> {
    await this.#browser.close();
  }

  #note(line: string): void {
    this.#log.push(`${seconds(this.#began)} ${line}`);
  }
}

function seconds(since: number): string {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}

/** Tells a journey; the process ends with 1 if a step of it fails. */
export async function tell(story: (journey: Journey) => Promise<void>): Promise<void> {
  const told = settings();
  mkdirSync(told.directory, { recursive: true });
  const journey = await Journey.begin(told);
  const late = new Promise<never>((_, reject) => {
    const limit = `not within ${longest / 60_000} minutes`;
    setTimeout(() => reject(new Error(limit)), longest).unref();
  });
  try {
    await Promise.race([story(journey), late]);
    journey.check();
  } catch (error) {
    process.exitCode = 1;
    console.error(error instanceof Error ? error.message : error);
    await journey.keep();
    console.error(`pictures and the log of the pages: ${told.directory}`);
  } finally {
    await journey.end();
  }
}
