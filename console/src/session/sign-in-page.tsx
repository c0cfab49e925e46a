// The page for whoever is not signed in. The path stays, so that one arrives where one wanted to go.

import { useLocation } from "react-router";
import { useBranding, useTitle } from "../app/branding";
import { Logo } from "../app/logo";
import { enter } from "./session";
import { SignInForm } from "./sign-in-form";
import { SignInWays } from "./sign-in-ways";

export function SignInPage() {
  const { pathname, search } = useLocation();
  const { name, notice, supportUrl } = useBranding();
  useTitle("Sign in");
  return (
    <main className="flex min-h-dvh flex-col items-center justify-center gap-6 px-4 py-10">
      <div className="flex max-w-full items-center gap-3">
        <Logo className="size-10" />
        <h1 className="min-w-0 text-2xl font-semibold wrap-anywhere">
          {name === undefined ? "Sign in" : `Sign in to ${name}`}
        </h1>
      </div>
      {notice !== undefined && <p className="max-w-sm text-sm whitespace-pre-line wrap-anywhere">{notice}</p>}
      <div className="w-full max-w-sm rounded-xl border border-line bg-surface p-6">
        <SignInForm onSignedIn={enter} />
        <SignInWays back={pathname + search} onSignedIn={enter} />
      </div>
      {supportUrl !== undefined && (
        <a href={supportUrl} rel="noreferrer" className="text-sm font-medium text-accent underline">
          Help
        </a>
      )}
      <details className="max-w-sm text-center text-xs text-muted">
        <summary className="cursor-pointer">Nobody has signed in here yet?</summary>
        The first user is <code className="font-mono">admin</code>; its password stands in the Secret{" "}
        <code className="font-mono">flotilla-first-password</code> of the hub's namespace.
      </details>
    </main>
  );
}
