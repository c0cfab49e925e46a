// Opens the console at a path, against a hub that is played.

import { render } from "@testing-library/react";
import userEvent, { type UserEvent } from "@testing-library/user-event";
import { createMemoryRouter } from "react-router";
import { csrf, MockHub } from "../../mock/hub.ts";
import { keepCsrf } from "../api/csrf";
import { renewal } from "../api/renewal";
import { App, routes } from "../app/app";
import { queries } from "../app/queries";

interface Opened {
  hub: MockHub;
  user: UserEvent;
  /** Path and query that are shown now. */
  address: () => string;
}

/** Requests go to `hub` from now on. */
export function play(hub: MockHub): void {
  globalThis.fetch = ((request: Request) => hub.fetch(request)) as typeof fetch;
}

export function open(path: string, hub = new MockHub({ now: Date.now() })): Opened {
  queries.clear();
  renewal.settle(false);
  play(hub);
  keepCsrf(csrf);
  const router = createMemoryRouter(routes, { initialEntries: [path] });
  render(<App router={router} />);
  const address = () => router.state.location.pathname + router.state.location.search;
  return { hub, user: userEvent.setup({ delay: null }), address };
}
