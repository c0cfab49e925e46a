// The form of any object: makes it or writes it anew, puts what the hub says at its fields, and shows both versions if
// somebody else was faster.

import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import {
  type DefaultValues,
  type FieldValues,
  type Path,
  type UseFormReturn,
  useForm,
} from "react-hook-form";
import { useNavigate } from "react-router";
import { IdempotencyKeys } from "../api/idempotency";
import { type FieldFault, Problem } from "../api/problem";
import { Button, ButtonLink } from "../ui/button";
import { ProblemPanel } from "../ui/problem-panel";
import { toast } from "../ui/toast";
import { Conflict } from "./conflict";
import { make, type Noun, pathTo, read, type Shown, type Wanted, write } from "./objects";

interface ObjectFormProps<N extends Noun, T extends FieldValues> {
  noun: N;
  /** What is changed; a new one is made without it. */
  object?: Shown<N> | undefined;
  /** What the form holds of an object, or of one that is not there yet. */
  typedOf: (object: Shown<N> | undefined) => T;
  wantedOf: (typed: T, object: Shown<N> | undefined) => Wanted<N>;
  /** Fields of the form by the end of the path that the hub gives them; those of the same name need none. */
  fields?: Readonly<Record<string, Path<T>>>;
  /** What the button does; to make or to save without it. */
  action?: string;
  /** Where one goes then; to the object's page without it. */
  onSaved?: (saved: Shown<N>) => void;
  children: (form: UseFormReturn<T>) => ReactNode;
}

export function ObjectForm<N extends Noun, T extends FieldValues>(props: ObjectFormProps<N, T>) {
  const { noun, object: given, typedOf, wantedOf, fields = {}, children } = props;
  const navigate = useNavigate();
  const [keys] = useState(() => new IdempotencyKeys());
  // What is read again meanwhile does not change under what somebody types.
  const [base, setBase] = useState(given);
  const [theirs, setTheirs] = useState<Shown<N>>();
  const [mine, setMine] = useState<Wanted<N>>();
  const form = useForm<T>({ defaultValues: typedOf(given) as DefaultValues<T> });
  const save = useMutation({
    mutationFn: async ({ wanted, version }: { wanted: Wanted<N>; version: string | undefined }) =>
      version === undefined ? make(noun, wanted, keys) : write(noun, wanted, version),
    onSuccess: (saved) => {
      if (props.onSaved !== undefined) {
        props.onSaved(saved);
        return;
      }
      toast.done(given === undefined ? `${saved.name} is made` : `${saved.name} is changed`);
      navigate(pathTo(noun, saved.name));
    },
    onError: async (error, { wanted }) => {
      const problem = Problem.from(error);
      if (problem.code === "changed") {
        setMine(wanted);
        setTheirs(await read(noun, wanted.name));
      } else if (problem.code === "exists") {
        form.setError("name" as Path<T>, { message: problem.message });
      }
      tell(form, problem.faults, fields);
    },
  });
  const submit = form.handleSubmit((typed) => {
    setTheirs(undefined);
    save.mutate({ wanted: wantedOf(typed, base), version: base?.version });
  });
  const isConflict = theirs !== undefined && mine !== undefined;
  return (
    <form
      onSubmit={submit}
      className="flex max-w-3xl flex-col gap-5 rounded-xl border border-line bg-surface p-5"
      noValidate
    >
      {children(form)}
      {isConflict ? (
        <Conflict
          mine={mine.spec}
          theirs={theirs.spec}
          isBusy={save.isPending}
          onOverwrite={() => save.mutate({ wanted: mine, version: theirs.version })}
          onTakeTheirs={() => {
            setBase(theirs);
            setTheirs(undefined);
            save.reset();
            form.reset(typedOf(theirs));
          }}
        />
      ) : (
        <ProblemPanel error={save.error} />
      )}
      <div className="flex gap-2">
        <Button type="submit" look="primary" isBusy={save.isPending}>
          {props.action ?? (given === undefined ? "Make" : "Save")}
        </Button>
        <ButtonLink to={given === undefined ? `/${noun}` : pathTo(noun, given.name)}>Cancel</ButtonLink>
      </div>
    </form>
  );
}

/** Puts what is wrong at the fields that the form has; the problem as a whole says all of it in any case. */
function tell<T extends FieldValues>(
  form: UseFormReturn<T>,
  faults: readonly FieldFault[],
  fields: Readonly<Record<string, Path<T>>>,
): void {
  const names = Object.keys(form.getValues());
  for (const { field, detail } of faults) {
    const found = Object.entries(fields).find(([path]) => field === path || field.endsWith(`.${path}`));
    const last = field.split(".").at(-1) ?? "";
    const name = found?.[1] ?? (names.includes(last) ? (last as Path<T>) : undefined);
    if (name !== undefined) {
      form.setError(name, { message: detail });
    }
  }
}
