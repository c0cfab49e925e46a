// The console as a whole: who is nobody signs in first.

import { QueryClientProvider } from "@tanstack/react-query";
import { useState } from "react";
import { createBrowserRouter, Outlet, type RouteObject } from "react-router";
import { RouterProvider } from "react-router/dom";
import { useSession } from "../session/session";
import { SignInPage } from "../session/sign-in-page";
import { Loading } from "../ui/page";
import { ProblemPanel } from "../ui/problem-panel";
import { Toasts } from "../ui/toast";
import { FailurePage, NotFoundPage } from "./failure-page";
import { Layout } from "./layout";
import { queries } from "./queries";
import { pages } from "./routes";

function Gate() {
  const { data, error, refetch } = useSession();
  if (data === undefined) {
    return (
      <main className="mx-auto max-w-xl p-6">
        {error === null ? (
          <Loading label="The console starts" />
        ) : (
          <ProblemPanel error={error} onRetry={refetch} />
        )}
      </main>
    );
  }
  return data === null ? <SignInPage /> : <Layout />;
}

export const routes: RouteObject[] = [
  {
    element: <Gate />,
    errorElement: <FailurePage />,
    hydrateFallbackElement: <Loading label="The console starts" />,
    children: [
      {
        element: <Outlet />,
        errorElement: <FailurePage />,
        children: [...pages, { path: "*", element: <NotFoundPage /> }],
      },
    ],
  },
];

/** With a router of its own in tests. */
export function App({ router: given }: { router?: ReturnType<typeof createBrowserRouter> }) {
  const [router] = useState(() => given ?? createBrowserRouter(routes));
  return (
    <QueryClientProvider client={queries}>
      <Toasts>
        <RouterProvider router={router} />
      </Toasts>
    </QueryClientProvider>
  );
}
