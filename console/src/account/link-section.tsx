// One's identities at providers: whoever has one signs in by it.

import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { answer, hub } from "../api/hub";
import type { components } from "../api/schema";
import { queries } from "../app/queries";
import { useProviders } from "../session/sign-in-form";
import { Button } from "../ui/button";
import { Confirmed } from "../ui/confirmed";
import { SelectField, TextField } from "../ui/field";
import { Section } from "../ui/page";
import { ProblemPanel } from "../ui/problem-panel";
import { Ago } from "../ui/time";
import { toast } from "../ui/toast";

type Link = components["schemas"]["LinkShown"];

const key = ["me", "links"];
const anew = () => queries.invalidateQueries({ queryKey: key });

export function LinkSection() {
  const {
    data = [],
    error,
    refetch,
  } = useQuery({
    queryKey: key,
    queryFn: () => answer(hub.GET("/api/v1/session/links")),
  });
  const [removed, setRemoved] = useState<Link>();
  return (
    <Section title="Identities at providers">
      <ProblemPanel error={error} onRetry={refetch} />
      {data.length === 0 && error === null && (
        <p className="text-sm text-muted">None. With one you sign in here as you do in your company.</p>
      )}
      <ul className="-mt-3 divide-y divide-line">
        {data.map((link) => (
          <li
            key={`${link.provider} ${link.subject}`}
            className="flex flex-wrap items-center gap-3 py-3 text-sm"
          >
            <span className="min-w-0 flex-1 wrap-anywhere">
              <span className="font-medium">{link.provider}</span>{" "}
              <span className="text-muted">{link.subject}</span>
              <span className="block text-xs text-muted">
                Last signed in with it <Ago time={link.lastSignIn} />
              </span>
            </span>
            <Button look="quiet" aria-label={`Unlink ${link.provider}`} onClick={() => setRemoved(link)}>
              Unlink
            </Button>
          </li>
        ))}
      </ul>
      <LinkForm />
      {removed !== undefined && (
        <Confirmed
          title={`Unlink ${removed.provider}?`}
          action="Unlink"
          done={`${removed.provider} is unlinked`}
          run={() =>
            hub.DELETE("/api/v1/session/links", {
              params: { query: { provider: removed.provider, subject: removed.subject } },
            })
          }
          onClose={() => setRemoved(undefined)}
          onDone={anew}
          isDangerous
        >
          <p>
            You sign in with it no more, and its groups give you nothing. See first that you have another way.
          </p>
        </Confirmed>
      )}
    </Section>
  );
}

function LinkForm() {
  const providers = useProviders();
  const [provider, setProvider] = useState("");
  const [user, setUser] = useState("");
  const [password, setPassword] = useState("");
  const isDirectory = providers.find(({ name }) => name === provider)?.kind === "ldap";
  const link = useMutation({
    mutationFn: () =>
      answer(
        hub.POST("/api/v1/session/links", {
          body: { provider, return: "/account", ...(isDirectory ? { user, password } : {}) },
        }),
      ),
    onSuccess: ({ location }) => {
      if (isDirectory) {
        setPassword("");
        toast.done(`${provider} is linked`);
        void anew();
      } else {
        globalThis.location.assign(location);
      }
    },
  });
  if (providers.length === 0) {
    return null;
  }
  return (
    <form
      className="mt-4 flex flex-col gap-4 border-t border-line pt-4"
      onSubmit={(event) => {
        event.preventDefault();
        link.mutate();
      }}
    >
      <SelectField label="Link one at" value={provider} onChange={(event) => setProvider(event.target.value)}>
        <option value="">Choose a provider</option>
        {providers.map(({ name, displayName }) => (
          <option key={name} value={name}>
            {displayName ?? name}
          </option>
        ))}
      </SelectField>
      {isDirectory && (
        <>
          <TextField label="Name there" value={user} onChange={(event) => setUser(event.target.value)} />
          <TextField
            label="Password there"
            type="password"
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        </>
      )}
      <ProblemPanel error={link.error} />
      <Button type="submit" className="self-start" disabled={provider === ""} isBusy={link.isPending}>
        Link
      </Button>
    </form>
  );
}
