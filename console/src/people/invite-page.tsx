// Invites somebody in one flow: a user, a password that is shown once, a role.

import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { type FieldErrors, type UseFormRegister, useForm } from "react-hook-form";
import { useSearchParams } from "react-router";
import { IdempotencyKeys } from "../api/idempotency";
import { Problem } from "../api/problem";
import { placeIn, placeText, scopeOf } from "../grants/place";
import { PlaceFields, type TypedPlace } from "../grants/place-fields";
import { RoleField } from "../grants/role-field";
import { nameOf, objectName } from "../objects/names";
import { make, pathTo } from "../objects/objects";
import { Button, ButtonLink } from "../ui/button";
import { CopyText } from "../ui/copy";
import { TextField } from "../ui/field";
import { Page, Section } from "../ui/page";
import { ProblemPanel } from "../ui/problem-panel";
import { newPassword } from "./password";
import { setPassword } from "./users";

interface Typed extends TypedPlace {
  name: string;
  displayName: string;
  email: string;
  role: string;
}

/** What is done already, so that another try goes on from there. */
interface Done {
  user?: true;
  password?: string;
}

export function InvitePage() {
  const place = placeIn(useSearchParams()[0]);
  const form = useForm<Typed>({
    defaultValues: {
      name: "",
      displayName: "",
      email: "",
      role: "",
      kind: place?.kind ?? "tenant",
      place: place?.name ?? "",
    },
  });
  const [keys] = useState(() => ({ user: new IdempotencyKeys(), grant: new IdempotencyKeys() }));
  const [done, setDone] = useState<Done>({});

  const invite = useMutation({
    mutationFn: async (typed: Typed) => {
      const name = typed.name.trim();
      const scope = scopeOf({ kind: typed.kind, name: typed.place });
      if (done.user === undefined) {
        const spec = {
          displayName: typed.displayName.trim() || null,
          email: typed.email.trim() || null,
          tenant: scope.tenant ?? null,
        };
        await make("users", { name, spec }, keys.user);
        setDone({ user: true });
      }
      const password = done.password ?? newPassword((bytes) => crypto.getRandomValues(bytes));
      if (done.password === undefined) {
        await setPassword(name, password);
        setDone({ user: true, password });
      }
      const grant = {
        name: nameOf(name, typed.role, typed.kind, typed.place),
        spec: { user: name, role: typed.role, scope },
      };
      await make("grants", grant, keys.grant);
      return { name, password, told: `${typed.role} at ${placeText(scope)}` };
    },
    onError: (error) => {
      const problem = Problem.from(error);
      if (problem.code === "exists" && done.user === undefined) {
        form.setError("name", { message: problem.message });
      }
    },
  });
  if (invite.data !== undefined) {
    return <Invited {...invite.data} />;
  }
  const { errors } = form.formState;
  const hasUser = done.user === true;
  return (
    <Page
      title="Invite somebody"
      lead="They get a password that you hand over, and one role. Both can be changed later."
    >
      <form
        onSubmit={form.handleSubmit((typed) => invite.mutate(typed))}
        className="flex max-w-3xl flex-col gap-5 rounded-xl border border-line bg-surface p-5"
        noValidate
      >
        <div className="grid gap-5 sm:grid-cols-2">
          <TextField
            label="User name"
            hint="What they sign in with. It cannot be changed later."
            autoFocus
            readOnly={hasUser}
            spellCheck={false}
            autoCapitalize="none"
            error={errors.name?.message}
            {...form.register("name", objectName)}
          />
          <TextField label="Name" readOnly={hasUser} {...form.register("displayName")} />
          <TextField label="E-mail" type="email" readOnly={hasUser} {...form.register("email")} />
          <RoleField
            registration={form.register("role", { required: "Choose a role." })}
            error={errors.role?.message}
          />
          <PlaceFields
            kind={form.watch("kind")}
            register={form.register as unknown as UseFormRegister<TypedPlace>}
            errors={errors as FieldErrors<TypedPlace>}
          />
        </div>
        {hasUser && invite.error !== null && (
          <p className="text-sm">
            The user is made already. Mend what is wrong; the rest goes on from there.
          </p>
        )}
        <ProblemPanel error={invite.error} />
        <div className="flex gap-2">
          <Button type="submit" look="primary" isBusy={invite.isPending}>
            Invite
          </Button>
          <ButtonLink to="/users">Cancel</ButtonLink>
        </div>
      </form>
    </Page>
  );
}

function Invited({ name, password, told }: { name: string; password: string; told: string }) {
  return (
    <Page title={`${name} is invited`} lead={`Has the role ${told}.`}>
      <Section title="Hand this over">
        <div className="flex max-w-2xl flex-col gap-3">
          <p className="text-sm">
            The password is shown once, here. Give it to {name} in a way that nobody else reads, and ask them
            to change it and to add a second factor.
          </p>
          <CopyText
            label="address, name and password"
            text={`${globalThis.location.origin}\nUser: ${name}\nPassword: ${password}`}
          />
          <div className="flex flex-wrap gap-2">
            <ButtonLink to={pathTo("users", name)}>Open {name}</ButtonLink>
            <ButtonLink to="/users" look="primary">
              I have handed it over
            </ButtonLink>
          </div>
        </div>
      </Section>
    </Page>
  );
}
