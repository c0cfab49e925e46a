// Ways to sign in without typing a password: passkeys, and providers that the browser is led to.

import { useState } from "react";
import { Button } from "../ui/button";
import { ProblemPanel } from "../ui/problem-panel";
import { signInWithPasskey } from "./session";
import { useProviders } from "./sign-in-form";

interface SignInWaysProps {
  /** Where to come back to from a provider. */
  back: string;
  onSignedIn: (user: string) => void;
}

export function SignInWays({ back, onSignedIn }: SignInWaysProps) {
  const [error, setError] = useState<unknown>();
  const providers = useProviders().filter(({ kind }) => kind === "oidc");
  const hasPasskeys = "PublicKeyCredential" in globalThis && globalThis.isSecureContext;
  if (providers.length === 0 && !hasPasskeys) {
    return null;
  }
  return (
    <div className="flex flex-col gap-2">
      <div className="my-2 flex items-center gap-3 text-xs text-muted">
        <hr className="flex-1 border-line" />
        or
        <hr className="flex-1 border-line" />
      </div>
      <ProblemPanel error={error} />
      {hasPasskeys && (
        <Button className="justify-center" onClick={() => signInWithPasskey().then(onSignedIn, setError)}>
          Sign in with a passkey
        </Button>
      )}
      {providers.map(({ name, displayName }) => (
        <a
          key={name}
          href={`/api/v1/session/oidc/${encodeURIComponent(name)}?return=${encodeURIComponent(back)}`}
          className="inline-flex h-9 items-center justify-center rounded-md border border-line-strong bg-surface px-3.5 text-sm font-medium hover:bg-sunken"
        >
          {displayName ?? name}
        </a>
      ))}
    </div>
  );
}
