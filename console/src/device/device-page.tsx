// Letting a program in (RFC 8628): the command line sends people here with the code that it shows.

import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { useSearchParams } from "react-router";
import { answer, type Device, hub } from "../api/hub";
import { useMe } from "../session/session";
import { Button } from "../ui/button";
import { TextField } from "../ui/field";
import { Empty, Loading, Page } from "../ui/page";
import { ProblemPanel } from "../ui/problem-panel";
import { Ago } from "../ui/time";

export function DevicePage() {
  const [query, setQuery] = useSearchParams();
  const code = query.get("code") ?? "";
  return (
    <Page title="Let a program in">
      <div className="max-w-xl rounded-xl border border-line bg-surface p-5">
        {code === "" ? (
          <CodeForm onCode={(typed) => setQuery({ code: typed })} />
        ) : (
          <Waiting key={code} code={code} onOther={() => setQuery({})} />
        )}
      </div>
    </Page>
  );
}

function CodeForm({ onCode }: { onCode: (code: string) => void }) {
  const { register, handleSubmit, formState } = useForm({ defaultValues: { code: "" } });
  return (
    <form
      onSubmit={handleSubmit(({ code }) => onCode(code.trim()))}
      className="flex flex-col gap-4"
      noValidate
    >
      <TextField
        label="Code"
        hint="As the program shows it, such as BCDF-GHJK."
        autoCapitalize="characters"
        spellCheck={false}
        error={formState.errors.code?.message}
        {...register("code", { required: "Type the code that the program shows." })}
      />
      <Button type="submit" look="primary" className="self-start">
        Go on
      </Button>
    </form>
  );
}

function Waiting({ code, onOther }: { code: string; onOther: () => void }) {
  const path = { params: { path: { name: code } } };
  const { data, error } = useQuery({
    queryKey: ["device", code],
    queryFn: () => answer(hub.GET("/api/v1/device/{name}", path)),
    retry: false,
    refetchOnWindowFocus: false,
  });
  const [decided, setDecided] = useState<boolean>();
  const decide = useMutation({
    mutationFn: (approve: boolean) => hub.POST("/api/v1/device/{name}", { ...path, body: { approve } }),
    onSuccess: (_, approve) => setDecided(approve),
  });

  if (decided !== undefined) {
    return decided ? (
      <Empty title="The program is let in">
        Go back to it: it goes on by itself. You may close this page.
      </Empty>
    ) : (
      <Empty title="The program was turned away">It got nothing. You may close this page.</Empty>
    );
  }
  if (error !== null) {
    return (
      <ProblemPanel error={error}>
        <Button className="mt-2" onClick={onOther}>
          Type another code
        </Button>
      </ProblemPanel>
    );
  }
  if (data === undefined) {
    return <Loading label="Looking for the program" />;
  }
  return (
    <div className="flex flex-col gap-4">
      <Facts device={data} />
      <ProblemPanel error={decide.error} />
      <div className="flex flex-wrap gap-2">
        <Button look="primary" isBusy={decide.isPending} onClick={() => decide.mutate(true)}>
          Let it in
        </Button>
        <Button look="danger" disabled={decide.isPending} onClick={() => decide.mutate(false)}>
          Turn it away
        </Button>
      </div>
    </div>
  );
}

function Facts({ device }: { device: Device }) {
  const { user } = useMe();
  const facts = [
    ["Code", device.userCode],
    ["It says it is", device.agent],
    ["It asks from", device.address],
  ];
  return (
    <>
      <p className="text-sm">
        A program asks for a session of <strong className="font-semibold">{user}</strong>, with all your
        rights. Let it in only if you have started it yourself, just now, and it shows this code.
      </p>
      <dl className="grid grid-cols-[auto_1fr] gap-x-6 gap-y-2 text-sm">
        {facts.map(([term, value]) => (
          <div key={term} className="contents">
            <dt className="text-muted">{term}</dt>
            <dd className="font-medium break-words">{value}</dd>
          </div>
        ))}
        <dt className="text-muted">It asked</dt>
        <dd className="font-medium">
          <Ago time={device.created} />
        </dd>
      </dl>
    </>
  );
}
