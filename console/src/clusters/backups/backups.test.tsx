// Backups of a cluster: taken, brought back with a warning, followed, scheduled.

import { screen, waitFor, within } from "@testing-library/react";
import axe from "axe-core";
import { expect, test } from "vitest";
import { MockHub } from "../../../mock/hub.ts";
import { problem } from "../../../mock/world.ts";
import { open } from "../../test/console";
import { stepsOf } from "./restores";
import { retentionText, typedRetention, writtenRetention } from "./retention";
import { isWhole, targetText, typedTarget, writtenTarget } from "./target";

const path = "/clusters/acme.production-01/backups";

async function barriers(): Promise<string[]> {
  const { violations } = await axe.run(document.body, { rules: { "color-contrast": { enabled: false } } });
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

test("a backup is taken where the one before is kept", async () => {
  const { hub, user } = open(path);
  await screen.findByText("before-upgrade");
  await user.click(screen.getByRole("button", { name: "Take a backup" }));
  const dialog = await screen.findByRole("alertdialog", { name: "Back up production-01" });
  expect(within(dialog).getByLabelText("Bucket")).toHaveValue("backups");
  expect(within(dialog).getByLabelText("Address of the service")).toHaveValue("https://s3.example.com");
  expect(await barriers()).toEqual([]);
  await user.type(within(dialog).getByLabelText("Name"), "now");
  await user.clear(within(dialog).getByLabelText("Bucket"));
  expect(within(dialog).getByRole("button", { name: "Take a backup" })).toBeDisabled();
  await user.type(within(dialog).getByLabelText("Bucket"), "other");
  await user.click(within(dialog).getByRole("button", { name: "Take a backup" }));
  expect(await screen.findByText("now")).toBeVisible();
  const s3 = { bucket: "other", endpoint: "https://s3.example.com", secretName: "bucket" };
  expect(hub.changes[0]?.body).toEqual({ name: "now", target: { s3 }, archivePolicy: "Delete" });
  expect(hub.changes[0]?.headers.get("idempotency-key")).not.toBeNull();
});

test("a restore says what happens, wants the name typed, and is followed step by step", async () => {
  const hub = new MockHub({ clusters: 8 });
  const { user } = open(path, hub);
  await user.click(await screen.findByRole("button", { name: "Restore from before-upgrade" }));
  const dialog = await screen.findByRole("alertdialog");
  expect(within(dialog).getByText(/The cluster stops/)).toBeVisible();
  expect(within(dialog).getByText(/What was made or changed since is lost/)).toBeVisible();
  expect(within(dialog).getByRole("button", { name: "Restore" })).toBeDisabled();
  await user.type(within(dialog).getByLabelText("Type production-01 to confirm"), "production-01");
  await user.click(within(dialog).getByRole("button", { name: "Restore" }));
  const steps = await screen.findByRole("list", { name: "Progress" });
  expect(within(steps).getAllByText("(under way)")).toHaveLength(1);
  expect(hub.changes[0]?.body).toEqual({ backup: "before-upgrade" });
});

test("whoever opens the page later sees a restore that is under way", async () => {
  const hub = new MockHub({ clusters: 8 });
  hub.backups.restore("acme.production-01", "before-upgrade");
  open(path, hub);
  const section = await screen.findByRole("region", { name: "Restoring from before-upgrade" });
  expect(within(section).getAllByText("(under way)")).toHaveLength(1);
});

test("a restore that waits is called off", async () => {
  const hub = new MockHub({ clusters: 8 });
  const known = hub.backups.of("acme.production-01");
  const created = new Date().toISOString();
  const waits = { reason: "StoreNotReady", message: "the data store does not answer" };
  known.restores = [{ name: "r", state: "Waiting", ...waits, backup: "before-upgrade", created }];
  const { user } = open(path, hub);
  await user.click(await screen.findByRole("button", { name: "Call it off" }));
  const dialog = await screen.findByRole("alertdialog");
  await user.click(within(dialog).getByRole("button", { name: "Call it off" }));
  await waitFor(() => expect(screen.queryByRole("list", { name: "Progress" })).toBeNull());
  expect(known.restores).toEqual([]);
});

test("a restore that failed says why, and one that failed cannot be chosen", async () => {
  const hub = new MockHub({ clusters: 8 });
  const known = hub.backups.of("acme.production-01");
  known.restores = [
    {
      name: "r",
      state: "Failed",
      reason: "Failed",
      message: "the archive is truncated; nothing was changed",
      backup: "before-upgrade",
      created: new Date().toISOString(),
      completedAt: new Date().toISOString(),
    },
  ];
  open(path, hub);
  expect(await screen.findByText(/the archive is truncated/)).toBeVisible();
  await screen.findByRole("button", { name: "Delete the backup nightly-20261128-0230" });
  expect(screen.queryByRole("button", { name: "Restore from nightly-20261128-0230" })).toBeNull();
});

test("deleting says what becomes of the archive, and a refusal is told there", async () => {
  const { hub, user } = open(path);
  await user.click(await screen.findByRole("button", { name: "Delete the backup before-upgrade" }));
  const dialog = await screen.findByRole("alertdialog");
  expect(within(dialog).getByText(/stays in bucket backups at https:\/\/s3.example.com/)).toBeVisible();
  hub.refusals.set(
    "DELETE /api/v1/clusters/{name}/backups/{backup}",
    problem(403, "denied", "ask for the role cluster-owner"),
  );
  await user.click(within(dialog).getByRole("button", { name: "Delete" }));
  expect(await within(dialog).findByText("ask for the role cluster-owner")).toBeVisible();
  await user.click(within(dialog).getByRole("button", { name: "Delete" }));
  await waitFor(() => expect(screen.queryByText("before-upgrade")).toBeNull());
});

test("a schedule is set in words and taken away", async () => {
  const { hub, user } = open(path);
  const section = await screen.findByRole("region", { name: "Schedule of backups" });
  expect(await within(section).findByText("every day at 02:30, Europe/Berlin")).toBeVisible();
  expect(within(section).getByText(/nightly-20261128-0230.*failed/)).toBeVisible();
  await user.click(within(section).getByRole("button", { name: "Change" }));
  const dialog = await screen.findByRole("alertdialog");
  expect(await barriers()).toEqual([]);
  await user.clear(within(dialog).getByLabelText("Weeks"));
  await user.type(within(dialog).getByLabelText("Newest"), "3");
  await user.click(within(dialog).getByRole("button", { name: "Set the schedule" }));
  await waitFor(() => expect(hub.changes).toHaveLength(1));
  expect(hub.changes[0]?.body).toMatchObject({ schedule: "30 2 * * *", retention: { last: 3, daily: 7 } });
  await user.click(await within(section).findByRole("button", { name: "Remove" }));
  await user.click(within(await screen.findByRole("alertdialog")).getByRole("button", { name: "Remove" }));
  expect(await within(section).findByText(/by hand alone/)).toBeVisible();
});

test("targets and retention read the same as they are written", () => {
  for (const target of [
    { s3: { bucket: "b", secretName: "s" } },
    { persistentVolumeClaim: { claimName: "disk" } },
    { directory: {} },
  ]) {
    expect(writtenTarget(typedTarget(target))).toEqual(target);
    expect(isWhole(typedTarget(target))).toBe(true);
  }
  expect(isWhole(typedTarget(undefined))).toBe(false);
  expect(targetText({ s3: { bucket: "b", prefix: "p", secretName: "s" } })).toBe("bucket b/p at AWS");
  const retention = { last: 3, daily: 1 };
  expect(writtenRetention(typedRetention(retention))).toEqual(retention);
  expect(retentionText(retention)).toBe("the newest 3, one of each of 1 day");
  expect(retentionText({})).toBe("all of them");
  const waiting = stepsOf({
    name: "r",
    state: "Waiting",
    reason: "SecretMissing",
    message: "Secret `bucket` is missing",
    created: null,
  });
  expect(waiting.map(({ state }) => state)).toEqual(["now", "later", "later", "later"]);
  expect(waiting[0]?.told).toBe("Secret `bucket` is missing");
});
