// The form of the settings. If somebody else was faster it shows both versions.

import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { Problem } from "../api/problem";
import { isHttps } from "../app/branding";
import { Conflict } from "../objects/conflict";
import { Button } from "../ui/button";
import { AreaField, TextField } from "../ui/field";
import { Section } from "../ui/page";
import { ProblemPanel } from "../ui/problem-panel";
import { toast } from "../ui/toast";
import { read, type Settings, type SettingsSpec, specOf, type Typed, typedOf, write } from "./settings";

const longest = { name: 40, notice: 500, supportUrl: 512 };

const atMost = (value: number) => ({ value, message: `At most ${value} characters.` });

export function SettingsForm({ settings }: { settings: Settings }) {
  // What is read again meanwhile does not change under what somebody types.
  const [base, setBase] = useState(settings);
  const [theirs, setTheirs] = useState<Settings>();
  const [mine, setMine] = useState<SettingsSpec>();
  const { register, handleSubmit, reset, formState } = useForm<Typed>({ defaultValues: typedOf(base.spec) });
  const { errors } = formState;
  const take = (taken: Settings) => {
    setBase(taken);
    setTheirs(undefined);
    reset(typedOf(taken.spec));
  };
  const save = useMutation({
    mutationFn: ({ spec, version }: { spec: SettingsSpec; version: string }) => write(spec, version),
    onSuccess: (written) => {
      take(written);
      toast.done("The settings are saved");
    },
    onError: async (error, { spec }) => {
      if (Problem.from(error).code === "changed") {
        setMine(spec);
        setTheirs(await read());
      }
    },
  });
  const submit = handleSubmit((typed) => {
    setTheirs(undefined);
    save.mutate({ spec: specOf(typed), version: base.version });
  });
  return (
    <form onSubmit={submit} className="flex flex-col gap-5" noValidate>
      <Section title="Branding">
        <div className="flex flex-col gap-5">
          <TextField
            label="Name of the hub"
            hint="Stands in place of Flotilla at the top, in the browser's title and where people sign in."
            placeholder="Flotilla"
            error={errors.name?.message}
            {...register("name", { maxLength: atMost(longest.name) })}
          />
          <AreaField
            label="Notice for those who sign in"
            hint="Plain text. Anybody who reaches the hub can read it."
            error={errors.notice?.message}
            {...register("notice", { maxLength: atMost(longest.notice) })}
          />
          <TextField
            label="Where people find help"
            hint="Linked where people sign in and in their menu."
            type="url"
            placeholder="https://help.example.com"
            spellCheck={false}
            error={errors.supportUrl?.message}
            {...register("supportUrl", {
              maxLength: atMost(longest.supportUrl),
              validate: (url) => url.trim() === "" || isHttps(url.trim()) || "An address with https://.",
            })}
          />
        </div>
      </Section>
      <Section title="Sign-in">
        <TextField
          label="Hours that a session lasts"
          hint={`From 1 to 168; ${base.defaults.sessionHours} if it is empty. It holds for sessions that are opened from now on.`}
          inputMode="numeric"
          placeholder={base.defaults.sessionHours.toString()}
          error={errors.sessionHours?.message}
          {...register("sessionHours", {
            validate: (hours) =>
              hours.trim() === "" ||
              (/^\d{1,3}$/.test(hours.trim()) && Number(hours) >= 1 && Number(hours) <= 168) ||
              "A whole number from 1 to 168.",
          })}
        />
      </Section>
      {theirs !== undefined && mine !== undefined ? (
        <Conflict
          mine={mine}
          theirs={theirs.spec}
          isBusy={save.isPending}
          onOverwrite={() => save.mutate({ spec: mine, version: theirs.version })}
          onTakeTheirs={() => {
            save.reset();
            take(theirs);
          }}
        />
      ) : (
        <ProblemPanel error={save.error} />
      )}
      <div>
        <Button type="submit" look="primary" isBusy={save.isPending}>
          Save
        </Button>
      </div>
    </form>
  );
}
