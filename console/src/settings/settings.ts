// What holds for the hub as a whole: read, and written as it was read.

import { useQuery } from "@tanstack/react-query";
import { answer, hub } from "../api/hub";
import type { components } from "../api/schema";
import { brandingKey } from "../app/branding";
import { queries } from "../app/queries";

type Schemas = components["schemas"];
export type Settings = Schemas["SettingsShown"];
export type SettingsSpec = Schemas["HubSettingsSpec"];

const key = ["settings"];

export const read = () => answer(hub.GET("/api/v1/settings"));

export function useSettings() {
  return useQuery({ queryKey: key, queryFn: read });
}

/** Writes over the settings as they were in a version; fails as `changed` if they are others by now. */
export async function write(spec: SettingsSpec, version: string): Promise<Settings> {
  const written = await answer(
    hub.PUT("/api/v1/settings", { headers: { "If-Match": version }, body: { spec } }),
  );
  queries.setQueryData(key, written);
  await queries.invalidateQueries({ queryKey: brandingKey });
  return written;
}

/** What the form holds. */
export interface Typed {
  name: string;
  notice: string;
  supportUrl: string;
  /** A number, or empty for what holds by default. */
  sessionHours: string;
}

export function typedOf({ branding, signIn }: SettingsSpec): Typed {
  return {
    name: branding?.name ?? "",
    notice: branding?.notice ?? "",
    supportUrl: branding?.supportUrl ?? "",
    sessionHours: signIn?.sessionHours?.toString() ?? "",
  };
}

/** What is empty is as it is by default. */
export function specOf(typed: Typed): SettingsSpec {
  const [name, notice, supportUrl] = [typed.name.trim(), typed.notice.trim(), typed.supportUrl.trim()];
  return {
    branding: {
      ...(name === "" ? {} : { name }),
      ...(notice === "" ? {} : { notice }),
      ...(supportUrl === "" ? {} : { supportUrl }),
    },
    signIn: typed.sessionHours.trim() === "" ? {} : { sessionHours: Number(typed.sessionHours) },
  };
}
