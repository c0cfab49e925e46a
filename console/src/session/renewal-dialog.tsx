// Over the page, when the session ended under way: what is typed below stays, and goes on after signing in.

import { useState, useSyncExternalStore } from "react";
import { renewal } from "../api/renewal";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { ask, useMe } from "./session";
import { SignInForm, useProviders } from "./sign-in-form";

export function RenewalDialog() {
  const isAsked = useSyncExternalStore(renewal.subscribe, renewal.isAsked);
  const me = useMe();
  const goOn = (user: string) => {
    if (user === me.user) {
      renewal.settle(true);
    } else {
      // Somebody else must see nothing of what was here.
      globalThis.location.reload();
    }
  };
  return (
    <Dialog
      isOpen={isAsked}
      onClose={() => renewal.settle(false)}
      title="Your session has ended"
      description="Sign in again to go on. What you have typed is kept."
    >
      <SignInForm user={me.user} onSignedIn={goOn} />
      <Elsewhere onSignedIn={goOn} />
    </Dialog>
  );
}

/** A provider needs a page of its own: it opens beside this one, which waits. */
function Elsewhere({ onSignedIn }: { onSignedIn: (user: string) => void }) {
  const [isMissing, setMissing] = useState(false);
  if (!useProviders().some(({ kind }) => kind === "oidc")) {
    return null;
  }
  const look = async () => {
    const me = await ask();
    setMissing(me === null);
    if (me !== null) {
      onSignedIn(me.user);
    }
  };
  return (
    <div className="mt-4 flex flex-col gap-2 border-t border-line pt-4 text-sm text-muted">
      <p>
        Do you sign in with a provider or a passkey?{" "}
        <a href="/" target="_blank" rel="noreferrer" className="font-medium text-accent underline">
          Sign in on another tab
        </a>
        , then come back.
      </p>
      <Button onClick={look} className="self-start">
        I have signed in
      </Button>
      {isMissing && <p role="alert">There is no session yet.</p>}
    </div>
  );
}
