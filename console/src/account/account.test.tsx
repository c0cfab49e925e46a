// What is one's own: keys, a second factor.

import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { open } from "../test/console";

test("a session that ends under a dialog leaves open what was typed in it", async () => {
  const { hub, user } = open("/account");
  await user.click(await screen.findByRole("button", { name: "Make a key" }));
  await user.type(await screen.findByLabelText("Name of the key"), "nightly");
  hub.user = undefined;
  await user.click(screen.getByRole("button", { name: "Make the key" }));
  const dialog = await screen.findByRole("dialog", { name: "Your session has ended" });
  await user.type(within(dialog).getByLabelText("Password"), "correct horse");
  await user.click(within(dialog).getByRole("button", { name: "Sign in" }));
  expect(await screen.findByText("flk_0nly-sh0wn-0nce")).toBeVisible();
});

test("a second factor is added by a picture that is drawn here; recovery codes are shown once", async () => {
  const { user } = open("/account");
  await user.click(await screen.findByRole("button", { name: "Add an app" }));
  await user.type(await screen.findByLabelText("Your password"), "guess");
  await user.click(screen.getByRole("button", { name: "Go on" }));
  expect(await screen.findByText("the password or the code is wrong")).toBeVisible();
  await user.clear(screen.getByLabelText("Your password"));
  await user.type(screen.getByLabelText("Your password"), "correct horse");
  await user.click(screen.getByRole("button", { name: "Go on" }));
  const picture = await screen.findByRole("img", { name: "QR code for your authenticator app" });
  expect(picture.querySelector("path")?.getAttribute("d")?.length).toBeGreaterThan(1000);
  await user.type(screen.getByLabelText("Code of the app"), "123 456");
  await user.click(screen.getByRole("button", { name: "Confirm" }));
  expect(await screen.findByText(/abcd-efgh-ijkl-mn00/)).toBeVisible();
});
