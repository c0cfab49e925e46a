// Who is signed in, and how one signs in and out.

import { useQuery } from "@tanstack/react-query";
import { keepCsrf } from "../api/csrf";
import { answer, hub, type Me, type SignIn } from "../api/hub";
import { Problem } from "../api/problem";
import type { components } from "../api/schema";
import { queries } from "../app/queries";

const key = ["session"];

/** The user, nobody, or not known yet. */
export function useSession() {
  return useQuery<Me | null>({ queryKey: key, queryFn: ask, staleTime: Number.POSITIVE_INFINITY });
}

/** The user; only below what asks for a session first. */
export function useMe(): Me {
  const { data } = useSession();
  if (data == null) {
    throw new Error("nobody is signed in");
  }
  return data;
}

/** Asks the hub who is signed in. */
export async function ask(): Promise<Me | null> {
  try {
    return await answer(hub.GET("/api/v1/session"));
  } catch (error) {
    if (Problem.from(error).code === "unauthenticated") {
      return null;
    }
    throw error;
  }
}

/** Opens a session and says whose it is. */
export async function signIn(asked: SignIn): Promise<string> {
  return taken(await answer(hub.POST("/api/v1/session", { body: asked })));
}

/** By a key that the browser or the system keeps. */
export async function signInWithPasskey(): Promise<string> {
  const { publicKey } = await answer(hub.POST("/api/v1/session/passkey/begin"));
  const options = PublicKeyCredential.parseRequestOptionsFromJSON(
    publicKey as PublicKeyCredentialRequestOptionsJSON,
  );
  const credential = (await navigator.credentials.get({ publicKey: options })) as PublicKeyCredential;
  const signed = credential.toJSON() as components["schemas"]["Assertion"];
  return taken(await answer(hub.POST("/api/v1/session/passkey/finish", { body: { credential: signed } })));
}

function taken({ user, csrf }: { user: string; csrf: string }): string {
  keepCsrf(csrf);
  return user;
}

/** Shows what the user may see, from what the hub says now. */
export async function enter(): Promise<void> {
  await queries.invalidateQueries({ queryKey: key });
}

/** Leaves nothing behind of what was shown. */
export async function signOut(): Promise<void> {
  await hub.DELETE("/api/v1/session");
  queries.setQueryData(key, null);
  queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== key[0] });
}
