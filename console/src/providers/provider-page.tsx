// One provider: what to register at it, its secret, what it is.

import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate, useParams } from "react-router";
import { hub } from "../api/hub";
import { pathTo, remove, useOne } from "../objects/objects";
import { OnePage } from "../objects/one-page";
import { Button, ButtonLink } from "../ui/button";
import { Confirmed } from "../ui/confirmed";
import { CopyText } from "../ui/copy";
import { Facts } from "../ui/facts";
import { TextField } from "../ui/field";
import { Section } from "../ui/page";
import { ProblemPanel } from "../ui/problem-panel";
import { toast } from "../ui/toast";
import { kindOf, type Provider, redirectUrl } from "./provider-spec";

export function ProviderPage() {
  const { name = "" } = useParams();
  const query = useOne("providers", name);
  const navigate = useNavigate();
  const [isDeleting, setDeleting] = useState(false);
  return (
    <OnePage
      title={name}
      noun="providers"
      query={query}
      lead={(provider) => (kindOf(provider) === "oidc" ? "OpenID Connect" : "Directory (LDAP)")}
      actions={() => (
        <>
          <Button look="danger" onClick={() => setDeleting(true)}>
            Delete
          </Button>
          <ButtonLink to={`${pathTo("providers", name)}/edit`} look="primary">
            Edit
          </ButtonLink>
        </>
      )}
    >
      {(provider) => (
        <div className="grid items-start gap-5 lg:grid-cols-2">
          <div className="flex flex-col gap-5">
            {kindOf(provider) === "oidc" && (
              <Section title="Register at the provider">
                <p className="mb-2 text-sm text-muted">The redirect URL, as a confidential client:</p>
                <CopyText label="the redirect URL" text={redirectUrl(globalThis.location.origin, name)} />
              </Section>
            )}
            <Secret name={name} isDirectory={kindOf(provider) === "ldap"} />
          </div>
          <Section title="Facts">
            <ProviderFacts provider={provider} />
          </Section>
          {isDeleting && (
            <Confirmed
              title={`Delete ${name}?`}
              action="Delete"
              done={`${name} is deleted`}
              run={() => remove("providers", name)}
              onClose={() => setDeleting(false)}
              onDone={() => navigate("/providers")}
              isDangerous
              typed={name}
            >
              <p>
                Whoever signed in by it is signed out, and its groups count no more. Users stay; those without
                a password of this hub or another provider cannot sign in.
              </p>
            </Confirmed>
          )}
        </div>
      )}
    </OnePage>
  );
}

/** It goes one way: nobody reads it again, not even who set it. */
function Secret({ name, isDirectory }: { name: string; isDirectory: boolean }) {
  const [secret, setTyped] = useState("");
  const set = useMutation({
    mutationFn: () =>
      hub.PUT("/api/v1/providers/{name}/secret", { params: { path: { name } }, body: { secret } }),
    onSuccess: () => {
      setTyped("");
      toast.done(`${name} has a new secret`);
    },
  });
  return (
    <Section title="Secret">
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          set.mutate();
        }}
      >
        <TextField
          label={isDirectory ? "Password of who searches" : "Client secret"}
          type="password"
          autoComplete="new-password"
          hint="It is never shown again. Setting it replaces the one before."
          value={secret}
          onChange={(event) => setTyped(event.target.value)}
        />
        <ProblemPanel error={set.error} />
        <Button type="submit" className="self-start" disabled={secret === ""} isBusy={set.isPending}>
          Set the secret
        </Button>
      </form>
    </Section>
  );
}

function ProviderFacts({ provider: { spec } }: { provider: Provider }) {
  const { oidc, ldap } = spec;
  return (
    <Facts
      facts={[
        ["Name for people", spec.displayName],
        ["Vouches for", spec.tenant == null ? "Everybody" : `Tenant ${spec.tenant} and those below`],
        [
          "New people",
          spec.createUsers === true ? "Get a user when they first sign in" : "Link their identity first",
        ],
        ["Issuer", oidc?.issuer],
        ["Client id", oidc?.clientId],
        ["Scopes", oidc?.scopes?.join(" ")],
        ["Address", ldap?.url],
        ["Who searches", ldap?.bindDn],
        ["Users", ldap && `${ldap.userFilter} below ${ldap.userBase}`],
        ["Groups", ldap?.groupBase && `${ldap.groupFilter ?? "(member={dn})"} below ${ldap.groupBase}`],
      ]}
    />
  );
}
