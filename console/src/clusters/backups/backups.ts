// Backups, restores and the schedule of a hosted cluster, asked for again while something is under way: what is shown
// after the page was loaded anew is what the hub says.

import { useQuery } from "@tanstack/react-query";
import { answer, hub } from "../../api/hub";
import type { components } from "../../api/schema";
import { queries } from "../../app/queries";
import type { Tone } from "../../ui/badge";

type Schemas = components["schemas"];

export type Backup = Schemas["BackupRow"];
export type Restore = Schemas["RestoreRow"];
export type Keeping = Schemas["Keeping"];
export type BackupSchedule = Schemas["BackupScheduleRow"];
export type Retention = Schemas["Retention"];

const most = 500;

/** Asked for again so often, in milliseconds: while something is under way, and else. */
const soon = 3_000;
const later = 30_000;

export function isUnderWay({ state }: Pick<Backup, "state">): boolean {
  return state !== "Completed" && state !== "Failed";
}

export const tones: Record<Backup["state"], Tone> = {
  Waiting: "warn",
  Running: "busy",
  Completed: "ok",
  Failed: "bad",
  Deleting: "rest",
};

interface Listed<T> {
  items: T[];
  next?: string | null;
}

/** All pages. */
async function all<T, P extends Listed<T>>(ask: (after: string | undefined) => Promise<P>) {
  const first = await ask(undefined);
  const items = [...first.items];
  for (let next = first.next; next != null; ) {
    const page = await ask(next);
    items.push(...page.items);
    next = page.next;
  }
  return { ...first, items };
}

const asked = (id: string, after: string | undefined) => ({
  params: { path: { name: id }, query: { limit: most, ...(after === undefined ? {} : { after }) } },
});

const every = (rows: readonly Pick<Backup, "state">[] | undefined) =>
  rows?.some(isUnderWay) === true ? soon : later;

export function useBackups(id: string) {
  return useQuery({
    queryKey: ["backups", id, "taken"],
    queryFn: () => all((after) => answer(hub.GET("/api/v1/clusters/{name}/backups", asked(id, after)))),
    refetchInterval: ({ state }) => every(state.data?.items),
  });
}

export function useRestores(id: string) {
  return useQuery({
    queryKey: ["backups", id, "restores"],
    queryFn: () => all((after) => answer(hub.GET("/api/v1/clusters/{name}/restores", asked(id, after)))),
    refetchInterval: ({ state }) => every(state.data?.items),
  });
}

export function useBackupSchedule(id: string) {
  return useQuery({
    queryKey: ["backups", id, "schedule"],
    queryFn: () =>
      answer(hub.GET("/api/v1/clusters/{name}/backup-schedule", { params: { path: { name: id } } })),
    refetchInterval: later,
  });
}

/** Something was done: all of it is asked for anew. */
export function anew(id: string): Promise<void> {
  return queries.invalidateQueries({ queryKey: ["backups", id] });
}
