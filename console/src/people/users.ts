// What is done with users beside writing them.

import { hub } from "../api/hub";

const of = (name: string) => ({ params: { path: { name } } });

/** One's own wants the old one. */
export function setPassword(name: string, password: string, old?: string) {
  const body = { password, ...(old === undefined ? {} : { old }) };
  return hub.PUT("/api/v1/users/{name}/password", { ...of(name), body });
}

/** Takes second factor, passkeys and sessions away. */
export function takeFactors(name: string) {
  return hub.DELETE("/api/v1/users/{name}/factors", of(name));
}

export function endSessions(name: string) {
  return hub.DELETE("/api/v1/users/{name}/sessions", of(name));
}
