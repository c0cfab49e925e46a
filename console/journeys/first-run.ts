// The first user signs in, makes a tenant and a cluster, looks inside and takes the kubeconfig home.

import { join } from "node:path";
import { tell } from "./kit/journey.ts";
import { createCluster, describeCluster, go, heading, makeTenant, signIn, state, tab } from "./kit/pages.ts";

await tell(async (journey) => {
  const { user, password, directory } = journey.settings;
  const page = await journey.visitor(user);

  await journey.step("the first user signs in", async () => {
    await page.goto("/");
    await heading(page, "Sign in to Flotilla");
    await journey.picture(page, "sign-in");
    await signIn(page, user, password);
    await heading(page, "Overview");
  });

  await journey.step("a tenant is made", async () => {
    await makeTenant(page, "harbour");
    await state(page, "Active");
  });

  await journey.step("a cluster is created", async () => {
    await describeCluster(page, { name: "pier", tenant: "harbour" });
    await page.locator(".cm-content", { hasText: "name: pier" }).waitFor();
    await journey.picture(page, "create");
    await createCluster(page, "pier");
  });

  await journey.step("it is ready, and the page says so by itself", async () => {
    await state(page, "Ready");
    await page.getByText("Kubernetes v1.").first().waitFor();
    await journey.picture(page, "cluster");
  });

  await journey.step("its kubeconfig is downloaded", async () => {
    const saved = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download kubeconfig" }).click();
    await (await saved).saveAs(join(directory, "kubeconfig"));
  });

  await journey.step("the explorer shows the pods and namespaces that every cluster has", async () => {
    await tab(page, "Explorer");
    await heading(page, "Pods");
    await page.getByLabel("Namespace", { exact: true }).selectOption("kube-system");
    await page
      .getByRole("link", { name: /^coredns-/ })
      .first()
      .waitFor();
    await journey.picture(page, "explorer");
    await page
      .getByRole("navigation", { name: "Kinds" })
      .getByRole("link", { name: "Namespaces", exact: true })
      .click();
    await page.getByRole("table", { name: "Namespaces" }).getByRole("link", { name: "kube-system" }).click();
    await heading(page, "kube-system");
    await state(page, "Active");
  });

  await journey.step("the overview counts it, in the dark and on a phone, too", async () => {
    await go(page, "Overview");
    await page.getByText("Recent activity").waitFor();
    await journey.picture(page, "overview");
    await page.emulateMedia({ colorScheme: "dark" });
    await page.setViewportSize({ width: 390, height: 844 });
    await journey.picture(page, "overview-phone");
    await page.emulateMedia({ colorScheme: "light" });
    await page.setViewportSize({ width: 1280, height: 800 });
  });
});
