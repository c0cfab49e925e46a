// One role: what it allows, and who has it.

import { useState } from "react";
import { useNavigate, useParams } from "react-router";
import { placeText } from "../grants/place";
import { pathTo, remove, useAll, useOne } from "../objects/objects";
import { OnePage } from "../objects/one-page";
import { Badge } from "../ui/badge";
import { Button, ButtonLink } from "../ui/button";
import { Confirmed } from "../ui/confirmed";
import { Page, Section } from "../ui/page";
import { builtinRoles } from "./builtin";
import { Rules } from "./rules";

export function RolePage() {
  const { name = "" } = useParams();
  const builtin = builtinRoles.find((role) => role.name === name);
  if (builtin === undefined) {
    return <CustomRole name={name} />;
  }
  return (
    <Page title={name} lead={<Badge>Built in: it cannot be changed</Badge>}>
      <div className="grid items-start gap-5 lg:grid-cols-2">
        <Section title="With the hub's objects">
          <p className="text-sm">{builtin.hub}</p>
        </Section>
        <Section title="Inside clusters">
          <p className="text-sm">{builtin.cluster}</p>
        </Section>
        <Holders name={name} />
      </div>
    </Page>
  );
}

function CustomRole({ name }: { name: string }) {
  const query = useOne("roles", name);
  const navigate = useNavigate();
  const [isDeleting, setDeleting] = useState(false);
  return (
    <OnePage
      title={name}
      noun="roles"
      query={query}
      lead={({ spec }) => `${spec.displayName ?? name} · may be given in ${spec.tenant ?? "all tenants"}`}
      actions={() => (
        <>
          <Button look="danger" onClick={() => setDeleting(true)}>
            Delete
          </Button>
          <ButtonLink to={`${pathTo("roles", name)}/edit`} look="primary">
            Edit
          </ButtonLink>
        </>
      )}
    >
      {({ spec }) => (
        <div className="grid items-start gap-5 lg:grid-cols-2">
          <Section title="With the hub's objects">
            <Rules rules={spec.hub ?? []} none="Nothing." />
          </Section>
          <Section title="Inside clusters">
            <Rules rules={spec.cluster ?? []} none="Nothing." />
          </Section>
          <Holders name={name} />
          {isDeleting && (
            <Confirmed
              title={`Delete ${name}?`}
              action="Delete"
              done={`${name} is deleted`}
              run={() => remove("roles", name)}
              onClose={() => setDeleting(false)}
              onDone={() => navigate("/roles")}
              isDangerous
              typed={name}
            >
              <p>
                Whoever has it by a grant loses what it allows with the next request. The grants stay, and
                give nothing.
              </p>
            </Confirmed>
          )}
        </div>
      )}
    </OnePage>
  );
}

function Holders({ name }: { name: string }) {
  const grants = (useAll("grants").data ?? []).filter(({ spec }) => spec.role === name);
  return (
    <Section title="Who has it">
      {grants.length === 0 && <p className="text-sm text-muted">Nobody, as far as you see.</p>}
      <ul className="flex flex-col gap-1.5 text-sm">
        {grants.map(({ name: grant, spec }) => (
          <li key={grant} className="wrap-anywhere">
            <span className="font-medium">{spec.user ?? spec.group}</span>{" "}
            <span className="text-muted">at {placeText(spec.scope)}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}
