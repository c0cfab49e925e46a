// The client of the hub's API, typed by its description.

import createClient from "openapi-fetch";
import type { components, paths } from "./schema";
import { send } from "./transport";

type Schemas = components["schemas"];
export type Cluster = Schemas["ClusterRow"];
export type ClusterCondition = Schemas["RowCondition"];
export type NewCluster = Schemas["NewCluster"];
export type ChangedCluster = Schemas["ChangedCluster"];
export type Me = Schemas["Me"];
export type Provider = Schemas["Shown"];
export type SignIn = Schemas["SignIn"];
export type Import = Schemas["Import"];
export type Device = Schemas["DeviceShown"];

/** Requests by path and method. Failures are thrown as `Problem`. */
export const hub = createClient<paths>({
  baseUrl: globalThis.location.origin,
  fetch: send,
});

/** What was answered. */
export async function answer<T>(call: Promise<{ data?: T }>): Promise<T> {
  const { data } = await call;
  // Failures were thrown by `send`: there is data wherever the description promises some.
  return data as T;
}
