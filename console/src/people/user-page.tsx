// One user: what they may do, and what helps when something of theirs is lost.

import { MoreHorizontal } from "lucide-react";
import { useState } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { placeText } from "../grants/place";
import { change, pathTo, remove, type Shown, useAll, useOne } from "../objects/objects";
import { OnePage } from "../objects/one-page";
import { Badge } from "../ui/badge";
import { ButtonLink, IconButton } from "../ui/button";
import { Confirmed } from "../ui/confirmed";
import { Facts } from "../ui/facts";
import { Menu, MenuItem, MenuSeparator } from "../ui/menu";
import { Section } from "../ui/page";
import { Ago } from "../ui/time";
import { ResetPassword } from "./reset-password";
import { endSessions, takeFactors } from "./users";

type User = Shown<"users">;
type Open = "password" | "factors" | "sessions" | "disable" | "delete";

export function UserPage() {
  const { name = "" } = useParams();
  const query = useOne("users", name);
  return (
    <OnePage
      title={name}
      noun="users"
      query={query}
      lead={({ spec }) => (
        <span className="flex flex-wrap items-center gap-2">
          <Badge tone={spec.disabled === true ? "rest" : "ok"}>
            {spec.disabled === true ? "Disabled" : "Active"}
          </Badge>
          {spec.displayName}
        </span>
      )}
      actions={(user) => <UserActions user={user} />}
    >
      {({ spec, created }) => (
        <div className="grid items-start gap-5 lg:grid-cols-2">
          <Section title="Facts">
            <Facts
              facts={[
                ["User name", name],
                ["Name", spec.displayName],
                ["E-mail", spec.email],
                ["Looked after by", spec.tenant ?? "The platform's administrators"],
                ["Made", created == null ? undefined : <Ago key="made" time={created} />],
              ]}
            />
          </Section>
          <Roles name={name} />
        </div>
      )}
    </OnePage>
  );
}

function Roles({ name }: { name: string }) {
  const grants = (useAll("grants").data ?? []).filter(({ spec }) => spec.user === name);
  const user = `user=${encodeURIComponent(name)}`;
  return (
    <Section
      title="Roles by name"
      actions={
        <>
          <ButtonLink to={`/access?${user}`}>Ask</ButtonLink>
          <ButtonLink to={`/grants/new?${user}`}>Give a role</ButtonLink>
        </>
      }
    >
      {grants.length === 0 && (
        <p className="text-sm text-muted">None that you see. Groups of a provider may give more.</p>
      )}
      <ul className="flex flex-col gap-1.5 text-sm">
        {grants.map(({ name: grant, spec }) => (
          <li key={grant} className="wrap-anywhere">
            <Link to={pathTo("roles", spec.role)} className="font-medium text-accent underline">
              {spec.role}
            </Link>{" "}
            <span className="text-muted">
              at {placeText(spec.scope)}, by {grant}
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function UserActions({ user }: { user: User }) {
  const [open, setOpen] = useState<Open>();
  const navigate = useNavigate();
  const { name, spec } = user;
  const isDisabled = spec.disabled === true;
  const onClose = () => setOpen(undefined);
  return (
    <>
      <ButtonLink to={`${pathTo("users", name)}/edit`} look="primary">
        Edit
      </ButtonLink>
      <Menu
        trigger={<IconButton label="More actions" look="plain" />}
        face={<MoreHorizontal aria-hidden className="size-4" />}
      >
        <MenuItem onClick={() => setOpen("password")}>Set a new password</MenuItem>
        <MenuItem onClick={() => setOpen("factors")}>Take factors away</MenuItem>
        <MenuItem onClick={() => setOpen("sessions")}>End sessions</MenuItem>
        <MenuItem onClick={() => setOpen("disable")}>{isDisabled ? "Enable" : "Disable"}</MenuItem>
        <MenuSeparator />
        <MenuItem isDangerous onClick={() => setOpen("delete")}>
          Delete
        </MenuItem>
      </Menu>
      {open === "password" && <ResetPassword name={name} onClose={onClose} />}
      {open === "factors" && (
        <Confirmed
          title={`Take second factor and passkeys from ${name}?`}
          action="Take away"
          done={`${name} signs in with the password alone`}
          run={() => takeFactors(name)}
          onClose={onClose}
          isDangerous
        >
          <p>
            For a lost phone or token. All sessions end, and the password alone signs in until a new factor is
            added.
          </p>
        </Confirmed>
      )}
      {open === "sessions" && (
        <Confirmed
          title={`End all sessions of ${name}?`}
          action="End them"
          done={`${name} is signed out everywhere`}
          run={() => endSessions(name)}
          onClose={onClose}
        >
          <p>For a lost laptop. Keys go on; disable the user to stop these, too.</p>
        </Confirmed>
      )}
      {open === "disable" && (
        <Confirmed
          title={isDisabled ? `Enable ${name}?` : `Disable ${name}?`}
          action={isDisabled ? "Enable" : "Disable"}
          done={isDisabled ? `${name} may sign in` : `${name} is disabled`}
          run={() => change("users", user, { disabled: !isDisabled })}
          onClose={onClose}
        >
          <p>
            {isDisabled
              ? "They may sign in again, with the password, factors and roles that they had. Keys work again, too."
              : "Sessions end, keys fail, open shells and logs are cut off. What they have stays, and can be given back."}
          </p>
        </Confirmed>
      )}
      {open === "delete" && (
        <Confirmed
          title={`Delete ${name}?`}
          action="Delete"
          done={`${name} is deleted`}
          run={() => remove("users", name)}
          onClose={onClose}
          onDone={() => navigate("/users")}
          isDangerous
          typed={name}
        >
          <p>
            Password, factors, sessions and keys go with it. Grants that name it stay: take them away, too, or
            somebody who gets this name later has its roles.
          </p>
        </Confirmed>
      )}
    </>
  );
}
