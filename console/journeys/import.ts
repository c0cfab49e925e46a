// A cluster is imported by the line that the console gives, and worked in: a pod is made, its log read, a shell opened.

import { execFileSync } from "node:child_process";
import { tell } from "./kit/journey.ts";
import { go, heading, makeFromYaml, remove, signIn, state, tab } from "./kit/pages.ts";

const name = "landing";
const namespace = "landing";
const pod = "echo";
const image = "registry.k8s.io/e2e-test-images/agnhost:2.63.0";
const objects = `apiVersion: v1
kind: Namespace
metadata:
  name: ${namespace}
---
apiVersion: v1
kind: Pod
metadata:
  name: ${pod}
  namespace: ${namespace}
spec:
  containers:
    - name: ${pod}
      image: ${image}
      args: [netexec, --http-port=8080]
`;

await tell(async (journey) => {
  const { user, password } = journey.settings;
  const page = await journey.visitor(user);
  await journey.step("the first user signs in", () => signIn(page, user, password));

  const line = await journey.step("the console gives one line for the cluster", async () => {
    await go(page, "Clusters");
    await page.getByRole("link", { name: "Import", exact: true }).first().click();
    await page.getByLabel("Name", { exact: true }).fill(name);
    await page.getByRole("button", { name: "Go on" }).click();
    const command = page.getByRole("region", { name: "Command" }).locator("pre");
    await command.waitFor();
    return (await command.textContent()) ?? "";
  });

  await journey.step("the line runs where kubectl has all rights", async () => {
    execFileSync("sh", ["-ec", line], { timeout: 60_000, stdio: ["ignore", "ignore", "pipe"] });
  });

  await journey.step("the page shows by itself that the cluster is connected", async () => {
    const steps = page.getByRole("list", { name: "Progress" });
    await steps.getByText("The agent reaches its API server (done)").waitFor({ timeout: 180_000 });
    await page.getByRole("link", { name: "Open the cluster" }).click();
    await heading(page, name);
    await state(page, "Ready");
    await page.getByText("1 of 1 are ready.").waitFor();
    await journey.picture(page, "imported");
  });

  await journey.step("a pod is made from YAML", async () => {
    await tab(page, "Explorer");
    await heading(page, "Pods");
    await makeFromYaml(page, objects);
    await page.getByRole("link", { name: `Pod ${pod}` }).click();
    await heading(page, pod);
    await state(page, "Running");
  });

  const tabs = page.getByRole("navigation", { name: "Object" });
  await journey.step("its log is read", async () => {
    await tabs.getByRole("link", { name: "Logs" }).click();
    await page.getByRole("region", { name: "Log" }).getByText("Started HTTP server on port 8080").waitFor();
  });

  await journey.step("a shell runs in it", async () => {
    await tabs.getByRole("link", { name: "Shell" }).click();
    await page.getByRole("button", { name: "Open a shell" }).click();
    const screen = page.locator(".xterm-rows");
    await screen.getByText(/[#$]/).first().waitFor();
    // The screen shows what is typed, too: only the shell knows the sum.
    await page.keyboard.type("hostname; echo sum $((40 + 2))\n");
    await screen.getByText("sum 42", { exact: true }).waitFor();
    await screen.getByText(pod, { exact: true }).waitFor();
    await journey.picture(page, "shell");
    await page.getByRole("button", { name: "Close the shell" }).click();
    await page.getByText("The shell ended").waitFor();
  });

  await journey.step("the audit log knows of the shell", async () => {
    await go(page, "Audit");
    await page.getByText("opened a shell in the pod").first().waitFor();
  });

  await journey.step("the cluster is forgotten", async () => {
    await go(page, "Clusters");
    await page.getByRole("link", { name, exact: true }).click();
    await heading(page, name);
    await remove(page, name, "Forget");
  });
});
