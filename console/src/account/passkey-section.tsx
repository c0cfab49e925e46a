// One's passkeys: keys in a phone, a laptop or a token that sign in alone.

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { answer, hub } from "../api/hub";
import type { components } from "../api/schema";
import { queries } from "../app/queries";
import { Button } from "../ui/button";
import { Confirmed } from "../ui/confirmed";
import { TextField } from "../ui/field";
import { Section } from "../ui/page";
import { ProblemPanel } from "../ui/problem-panel";
import { Ago } from "../ui/time";
import { toast } from "../ui/toast";
import { type Proof, ProofDialog } from "./proof-dialog";

type Passkey = components["schemas"]["PasskeyShown"];

const key = ["me", "passkeys"];
const anew = () => queries.invalidateQueries({ queryKey: ["me"] });

async function add(name: string, proof: Proof): Promise<void> {
  const { publicKey } = await answer(hub.POST("/api/v1/me/passkeys/begin", { body: proof }));
  const options = PublicKeyCredential.parseCreationOptionsFromJSON(
    publicKey as PublicKeyCredentialCreationOptionsJSON,
  );
  const made = (await navigator.credentials.create({ publicKey: options })) as PublicKeyCredential;
  const credential = made.toJSON() as components["schemas"]["Attestation"];
  await hub.POST("/api/v1/me/passkeys/finish", { body: { name, credential } });
}

export function PasskeySection() {
  const {
    data = [],
    error,
    refetch,
  } = useQuery({
    queryKey: key,
    queryFn: () => answer(hub.GET("/api/v1/me/passkeys")),
  });
  const [name, setName] = useState("");
  const [isAdding, setAdding] = useState(false);
  const [removed, setRemoved] = useState<Passkey>();
  const isPossible = "PublicKeyCredential" in globalThis && globalThis.isSecureContext;
  return (
    <Section title="Passkeys">
      <ProblemPanel error={error} onRetry={refetch} />
      <ul className="-mt-3 divide-y divide-line">
        {data.map((passkey) => (
          <li key={passkey.id} className="flex flex-wrap items-center gap-3 py-3 text-sm">
            <span className="min-w-0 flex-1 wrap-anywhere">
              <span className="font-medium">{passkey.name}</span>
              <span className="block text-xs text-muted">
                Added <Ago time={passkey.created} />
                {passkey.lastUsed != null && (
                  <>
                    , last used <Ago time={passkey.lastUsed} />
                  </>
                )}
              </span>
            </span>
            <Button look="quiet" aria-label={`Delete ${passkey.name}`} onClick={() => setRemoved(passkey)}>
              Delete
            </Button>
          </li>
        ))}
      </ul>
      {isPossible ? (
        <form
          className="flex flex-wrap items-end gap-2 pt-3"
          onSubmit={(event) => {
            event.preventDefault();
            setAdding(true);
          }}
        >
          <div className="min-w-0 flex-1">
            <TextField
              label="Name of a new passkey"
              placeholder="Work laptop"
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          </div>
          <Button type="submit" disabled={name.trim() === ""}>
            Add a passkey
          </Button>
        </form>
      ) : (
        <p className="pt-3 text-sm text-muted">
          This browser makes none here: the hub must be reached by a domain name, with TLS.
        </p>
      )}
      {isAdding && (
        <ProofDialog
          title={`Add the passkey ${name}`}
          told="Show first that it is you; then the browser asks for the key."
          action="Go on"
          run={(proof) => add(name.trim(), proof)}
          onClose={() => setAdding(false)}
          onDone={() => {
            void anew();
            toast.done(`${name} is added`);
            setAdding(false);
            setName("");
          }}
        />
      )}
      {removed !== undefined && (
        <Confirmed
          title={`Delete the passkey ${removed.name}?`}
          action="Delete"
          done={`${removed.name} signs in no more`}
          run={() => hub.DELETE("/api/v1/me/passkeys/{name}", { params: { path: { name: removed.id } } })}
          onClose={() => setRemoved(undefined)}
          onDone={anew}
          isDangerous
        >
          <p>It signs in no more. Delete it in the device, too.</p>
        </Confirmed>
      )}
    </Section>
  );
}
