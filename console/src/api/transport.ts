// How requests reach the hub: the header against forgeries, patience when it has too much to do, and a session that
// ends under way. Whatever is no success is thrown as a problem.

import { csrf } from "./csrf";
import { Problem } from "./problem";
import { renewal } from "./renewal";

const safe = new Set(["GET", "HEAD", "OPTIONS"]);

/** What signing in needs answers that one is not signed in; there is nothing to renew then. */
const signingIn = /^\/api\/v1\/session(\/|$)/;

/** Seconds that a request waits by itself when there are too many; beyond it the user is told. */
const patience = 5;
const mostTries = 3;

/** Sends a request, as `fetch` does. */
export async function send(request: Request): Promise<Response> {
  for (let tries = 1; ; tries += 1) {
    const sentAt = renewal.count();
    const response = await once(request.clone());
    if (response.ok) {
      return response;
    }
    const problem = await Problem.of(response);
    const goesOn = tries < mostTries && (await isWorthAnother(request, problem, sentAt));
    if (!goesOn) {
      throw problem;
    }
  }
}

async function once(request: Request): Promise<Response> {
  const token = csrf();
  if (!safe.has(request.method) && token !== undefined) {
    request.headers.set("X-Flotilla-Csrf", token);
  }
  try {
    return await fetch(request);
  } catch (error) {
    if (request.signal.aborted) {
      throw error;
    }
    throw Problem.from(error);
  }
}

/** Waits for what would make another try succeed. */
async function isWorthAnother(request: Request, problem: Problem, sentAt: number): Promise<boolean> {
  const isSigningIn = signingIn.test(new URL(request.url).pathname);
  if (problem.code === "unauthenticated" && !isSigningIn) {
    return renewal.ask(sentAt);
  }
  const seconds = problem.retryAfter;
  if (problem.code !== "too-many" || isSigningIn || seconds === undefined || seconds > patience) {
    return false;
  }
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  return true;
}
