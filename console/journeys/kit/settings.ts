// What a journey is told, by its environment: whoever lists processes reads arguments.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";

/** A site that the browser trusts. */
export interface Site {
  url: URL;
  /** Authority of its certificate, PEM. */
  authority: string;
}

export interface Settings {
  hub: Site;
  /** Where people of a provider sign in, if there is one. */
  provider: Site | undefined;
  /** The first user. */
  user: string;
  password: string;
  /** What the journey brings home, and what is kept when it fails. */
  directory: string;
  /** Where pictures go; none are taken without it. */
  pictures: string | undefined;
}

export function settings(): Settings {
  const pictures = process.env.FLOTILLA_SCREENSHOTS;
  return {
    hub: site("FLOTILLA_HUB"),
    provider: process.env.FLOTILLA_PROVIDER === undefined ? undefined : site("FLOTILLA_PROVIDER"),
    user: told("FLOTILLA_USER"),
    password: told("FLOTILLA_PASSWORD"),
    directory: told("FLOTILLA_JOURNEY"),
    pictures: pictures === undefined ? undefined : resolve(import.meta.dirname, "../../..", pictures),
  };
}

function site(name: string): Site {
  return { url: new URL(told(name)), authority: readFileSync(told(`${name}_CA`), "utf8") };
}

function told(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === "") {
    throw new Error(`${name} is not set; the stories of crates/e2e set it`);
  }
  return value;
}
