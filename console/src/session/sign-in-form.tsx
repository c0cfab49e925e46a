// The form to sign in with: a name and a password, a second factor if there is one, or a directory's.

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { answer, hub, type Provider } from "../api/hub";
import { Problem } from "../api/problem";
import { Button } from "../ui/button";
import { SelectField, TextField } from "../ui/field";
import { ProblemPanel } from "../ui/problem-panel";
import { signIn } from "./session";

interface Typed {
  user: string;
  password: string;
  code: string;
  provider: string;
}

interface SignInFormProps {
  /** Who was signed in, if the session ended. */
  user?: string;
  onSignedIn: (user: string) => void;
}

export function useProviders(): Provider[] {
  const { data } = useQuery({
    queryKey: ["session", "providers"],
    queryFn: () => answer(hub.GET("/api/v1/session/providers")),
    staleTime: 60_000,
  });
  return data ?? [];
}

export function SignInForm({ user = "", onSignedIn }: SignInFormProps) {
  const directories = useProviders().filter(({ kind }) => kind === "ldap");
  const form = useForm<Typed>({ defaultValues: { user, password: "", code: "", provider: "" } });
  const [problem, setProblem] = useState<Problem>();
  const { errors, isSubmitting } = form.formState;
  const isCodeWanted = problem?.code === "second-factor" || form.getValues("code") !== "";

  const submit = form.handleSubmit(async ({ user: name, password, code, provider }) => {
    try {
      const signedIn = await signIn({
        user: name.trim(),
        password,
        carrier: "cookie",
        ...(code === "" ? {} : { code: code.replaceAll(" ", "") }),
        ...(provider === "" ? {} : { provider }),
      });
      onSignedIn(signedIn);
    } catch (error) {
      setProblem(Problem.from(error));
    }
  });

  return (
    <form onSubmit={submit} className="flex flex-col gap-4" noValidate>
      {problem?.code !== "second-factor" && <ProblemPanel error={problem} />}
      {directories.length > 0 && (
        <SelectField label="Account" {...form.register("provider")}>
          <option value="">This hub</option>
          {directories.map(({ name, displayName }) => (
            <option key={name} value={name}>
              {displayName ?? name}
            </option>
          ))}
        </SelectField>
      )}
      <TextField
        label="Name"
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        error={errors.user?.message}
        {...form.register("user", { required: "Type your user name." })}
      />
      <TextField
        label="Password"
        type="password"
        autoComplete="current-password"
        error={errors.password?.message}
        {...form.register("password", { required: "Type your password." })}
      />
      {isCodeWanted && (
        <TextField
          label="Code"
          hint="Six digits of your authenticator app, or a recovery code."
          autoComplete="one-time-code"
          autoFocus
          error={errors.code?.message}
          {...form.register("code")}
        />
      )}
      <Button type="submit" look="primary" isBusy={isSubmitting} className="justify-center">
        Sign in
      </Button>
    </form>
  );
}
