// What a page of the hub sends with all that changes something, and no page of another site can.

const cookie = "__Host-flotilla-csrf";

let told: string | undefined;

/** Keeps what signing in told, for browsers that keep no such cookie. */
export function keepCsrf(token: string): void {
  told = token;
}

/** The cookie counts: another tab may have signed in since. */
export function csrf(): string | undefined {
  const pairs = document.cookie.split(";").map((pair) => pair.trim().split("="));
  return pairs.find(([name]) => name === cookie)?.[1] ?? told;
}
