// Clusters from templates, schedules of sleep, clones, and how amounts and rules read.

import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { MockHub } from "../../mock/hub.ts";
import { daysText, readCron, scheduleText, writeCron } from "../clusters/detail/schedule";
import { allDays, restOf, seriesOf, type Usage } from "../metering/usage";
import { differences } from "../objects/differences";
import { readRules, writeRules } from "../roles/rule-lines";
import { open } from "../test/console";
import { amountOf } from "../ui/quantity";
import { faultOf, newest, valuesOf } from "./template";

test("the form of a template is made from its parameters, and what the hub says stands at them", async () => {
  const { hub, user, address } = open("/clusters/create?template=small");
  await user.type(await screen.findByLabelText("Name"), "edge-7");
  await user.selectOptions(screen.getByLabelText("Tenant"), "acme");
  const replicas = screen.getByLabelText("Pods of the control plane");
  expect(replicas).toHaveValue("2");
  await user.clear(replicas);
  await user.type(replicas, "9");
  await user.click(screen.getByRole("button", { name: "Create" }));
  expect(await screen.findByText("At most 3.")).toBeVisible();
  expect(screen.getByText("Say what it shall be.")).toBeVisible();
  expect(hub.changes).toHaveLength(0);
  await user.clear(replicas);
  await user.type(replicas, "3");
  await user.type(screen.getByLabelText("zone (required)"), "EU");
  await user.click(screen.getByRole("button", { name: "Create" }));
  expect((await screen.findAllByText(/`EU` must match/)).length).toBeGreaterThan(0);
  expect(screen.getByLabelText("zone (required)")).toHaveAttribute("aria-invalid", "true");
  await user.clear(screen.getByLabelText("zone (required)"));
  await user.type(screen.getByLabelText("zone (required)"), "eu-west");
  await user.click(screen.getByRole("button", { name: "Create" }));
  await waitFor(() => expect(address()).toBe("/clusters/acme.edge-7"));
  const made = hub.changes.findLast(({ key }) => key === "POST /api/v1/clusters")?.body;
  const parameters = { version: "v1.36.3", replicas: 3, zone: "eu-west", size: "small", proxy: true };
  expect(made).toMatchObject({ template: { name: "small", version: "1.1", parameters } });
  expect(await screen.findByRole("link", { name: "small" })).toHaveAttribute("href", "/templates/small");
});

test("a version is deprecated with a word to those who use it", async () => {
  const { hub, user } = open("/templates/small");
  await user.click(await screen.findByRole("button", { name: "Deprecate" }));
  const dialog = await screen.findByRole("alertdialog");
  await user.type(within(dialog).getByLabelText("Why, and what to take instead"), "take 1.2");
  await user.click(within(dialog).getByRole("button", { name: "Deprecate" }));
  expect(await screen.findByText("take 1.2")).toBeVisible();
  expect(hub.changes.at(-1)?.headers.get("if-match")).toBe("1");
});

test("a schedule is set in words, shows its next times, and is removed", async () => {
  const hub = new MockHub({ clusters: 4 });
  const { user } = open("/clusters/acme.production-01", hub);
  await user.click(await screen.findByRole("button", { name: "Set one" }));
  const dialog = await screen.findByRole("alertdialog");
  await user.click(within(dialog).getByRole("button", { name: "Every night" }));
  expect(within(dialog).getByText("In words: every day 22:00–06:00.")).toBeVisible();
  await user.click(within(dialog).getByRole("button", { name: "Set the schedule" }));
  expect(await screen.findByText("Sleeps next")).toBeVisible();
  expect(hub.inventory.rows.get("acme.production-01")?.sleepSchedule).toMatchObject({ sleep: "0 22 * * *" });
  await user.click(screen.getByRole("button", { name: "Remove" }));
  await user.click(within(await screen.findByRole("alertdialog")).getByRole("button", { name: "Remove" }));
  expect(await screen.findByText(/it sleeps and wakes by hand/)).toBeVisible();
});

test("a clone shows how far it is, and then that it is there", async () => {
  const { hub, user, address } = open("/clusters/acme.production-01");
  await user.click(await screen.findByRole("button", { name: "More actions" }));
  await user.click(await screen.findByRole("menuitem", { name: "Clone" }));
  await user.type(await screen.findByLabelText("Name of the clone"), "copy");
  await user.click(screen.getByRole("button", { name: "Clone" }));
  await waitFor(() => expect(address()).toBe("/clusters/acme.copy"));
  expect(await screen.findByText("It is being filled from a backup")).toBeVisible();
  hub.inventory.patch("acme.copy", { state: "Ready", conditions: [] });
  await waitFor(() => expect(screen.queryByText("It is being filled from a backup")).toBeNull());
});

test("cron reads as people say it, and back", () => {
  const text = (sleep: string | null, wake: string | null) => scheduleText({ sleep, wake });
  expect(text("0 20 * * 1-5", "0 7 * * 1-5")).toBe("weekdays 20:00–07:00");
  expect(text("30 19 * * 5", "0 7 * * 1")).toBe("sleeps Fridays at 19:30, wakes Mondays at 07:00");
  expect(text("0 20 * * *", null)).toBe("sleeps every day at 20:00, is woken by hand");
  expect(text("*/5 1 2 * *", "0 7 * * *")).toBe("sleeps at “*/5 1 2 * *”, wakes every day at 07:00");
  expect(daysText("1,3-4")).toBe("Mon, Wed–Thu");
  expect(readCron("0 24 * * *")).toBeUndefined();
  expect(writeCron({ time: "07:05", days: "1-5" })).toBe("5 7 * * 1-5");
});

test("values of parameters have their types, and what is not said is left out", () => {
  const parameters = [
    { name: "count", type: "integer", minimum: 1, maximum: 3 },
    { name: "on", type: "boolean" },
    { name: "note", type: "string", minLength: 2 },
  ] as const;
  expect(valuesOf(parameters, { count: " 2", on: false, note: " " })).toEqual({ count: 2, on: false });
  const faults = ["0", "4", "two", "3"].map((typed) => faultOf(parameters[0], typed));
  expect(faults).toEqual(["At least 1.", "At most 3.", "A whole number.", undefined]);
  expect(faultOf(parameters[2], "x")).toBe("At least 2 characters.");
  const versions = [{ version: "1.9" }, { version: "1.10" }, { version: "2", deprecated: "no" }];
  expect(newest(versions)?.version).toBe("1.10");
});

test("rules of roles are written in lines, and read the same", () => {
  const text = "get,list: pods,pods/log\nget,patch: deployments (apps) [web]";
  const rules = readRules(text);
  expect(rules).toEqual([
    { verbs: ["get", "list"], resources: ["pods", "pods/log"], apiGroups: [""] },
    { verbs: ["get", "patch"], resources: ["deployments"], apiGroups: ["apps"], resourceNames: ["web"] },
  ]);
  expect(writeRules(rules ?? [])).toBe(text);
  expect(readRules("pods")).toBeUndefined();
});

test("amounts of Kubernetes are read, and versions compared field by field", () => {
  expect(["500m", "16", "32Gi", "1.5k", "x"].map(amountOf)).toEqual([
    0.5,
    16,
    32 * 1024 ** 3,
    1500,
    undefined,
  ]);
  expect(
    differences({ a: 1, quota: { cpu: "8" }, list: [] }, { a: 1, quota: { cpu: "9" }, b: true }),
  ).toEqual([
    { path: "quota.cpu", one: "8", other: "9" },
    { path: "b", one: "", other: "true" },
  ]);
});

test("a chart has all days, and what a tenant has beside those below it", () => {
  const days = allDays({ from: "2026-02-27", to: "2026-03-02" });
  expect(days).toEqual(["2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02"]);
  const use = (day: string, hours: number) => ({ day, controlPlaneSeconds: hours * 3600 }) as Usage;
  const total = seriesOf("acme", days, [use("2026-02-28", 5), use("2026-03-02", 2)], "controlPlane");
  const part = seriesOf("labs", days, [use("2026-02-28", 3)], "controlPlane");
  expect(total.amounts).toEqual([0, 5, 0, 2]);
  expect(restOf("acme", total, [part]).amounts).toEqual([0, 2, 0, 2]);
});
