// One's own password: a new one wants the old one.

import { useMutation } from "@tanstack/react-query";
import { useForm } from "react-hook-form";
import { setPassword } from "../people/users";
import { useMe } from "../session/session";
import { Button } from "../ui/button";
import { TextField } from "../ui/field";
import { Section } from "../ui/page";
import { ProblemPanel } from "../ui/problem-panel";
import { toast } from "../ui/toast";

const typed = { old: "", password: "", again: "" };

export function PasswordSection() {
  const me = useMe();
  const form = useForm({ defaultValues: typed });
  const { errors } = form.formState;
  const change = useMutation({
    mutationFn: ({ old, password }: typeof typed) => setPassword(me.user, password, old),
    onSuccess: () => {
      form.reset(typed);
      toast.done("Your password is changed", "Your other sessions have ended.");
    },
  });
  return (
    <Section title="Password">
      <form
        className="flex flex-col gap-4"
        onSubmit={form.handleSubmit((values) => change.mutate(values))}
        noValidate
      >
        <TextField
          label="The one that you have"
          type="password"
          autoComplete="current-password"
          error={errors.old?.message}
          {...form.register("old", { required: "Type the one that you have." })}
        />
        <TextField
          label="The new one"
          type="password"
          autoComplete="new-password"
          error={errors.password?.message}
          {...form.register("password", { required: "Type a new one." })}
        />
        <TextField
          label="The new one again"
          type="password"
          autoComplete="new-password"
          error={errors.again?.message}
          {...form.register("again", {
            validate: (again, { password }) => again === password || "That is not the same.",
          })}
        />
        <ProblemPanel error={change.error} />
        <Button type="submit" className="self-start" isBusy={change.isPending}>
          Change the password
        </Button>
      </form>
    </Section>
  );
}
