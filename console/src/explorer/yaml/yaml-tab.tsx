// An object as YAML: looked at, changed, compared, saved; and merged if somebody else was faster.

import { useMutation } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useBlocker } from "react-router";
import { Problem } from "../../api/problem";
import { can } from "../../kubernetes/kinds";
import type { KubernetesObject } from "../../kubernetes/objects";
import { Button } from "../../ui/button";
import { Confirm } from "../../ui/dialog";
import { LazyYamlEditor } from "../../ui/editor/lazy-yaml-editor";
import { ProblemPanel } from "../../ui/problem-panel";
import { toast } from "../../ui/toast";
import { useShownObject } from "../object/object-page";
import { Compare } from "./compare";
import { Conflict } from "./conflict";
import { type Draft, objectOf, textOf } from "./draft";
import { fetchNow, save } from "./save";
import { useCompletion } from "./use-completion";

type Step = { at: "edit" } | { at: "review" } | { at: "conflict"; theirs: KubernetesObject };

export function YamlTab() {
  const { cluster, kind, object, isDeleted, draft, setDraft } = useShownObject();
  const [step, setStep] = useState<Step>({ at: "edit" });
  const shown = useMemo(() => textOf(object), [object]);
  const complete = useCompletion(cluster, kind, draft !== undefined);
  const isEditable = !isDeleted && can(kind, "update");
  const isBehind =
    draft !== undefined && draft.base.metadata.resourceVersion !== object.metadata.resourceVersion;

  const type = (text: string) => {
    const base = draft?.base ?? object;
    const isNothing = draft === undefined && text === shown;
    setDraft(isNothing ? undefined : { text, base });
  };
  const rehearse = useMutation({
    mutationFn: (asked: Draft) => save(cluster, kind, asked, true),
    onSuccess: () => toast.done("The cluster would take it", "Nothing was changed by trying."),
  });
  const keep = useMutation({
    mutationFn: (asked: Draft) => save(cluster, kind, asked, false),
    onSuccess: ({ metadata }) => {
      toast.done(`${metadata.name} is saved`);
      setDraft(undefined);
      setStep({ at: "edit" });
    },
    onError: async (error, asked) => {
      if (Problem.from(error).code === "changed") {
        setStep({ at: "conflict", theirs: await fetchNow(cluster, kind, asked) });
      }
    },
  });
  const error = keep.error ?? rehearse.error;
  const failure = error !== null && Problem.from(error).code === "changed" ? null : error;
  const again = () => {
    keep.reset();
    rehearse.reset();
    setStep({ at: "edit" });
  };
  const merge = async (asked: Draft) =>
    setStep({ at: "conflict", theirs: await fetchNow(cluster, kind, asked) });

  if (draft !== undefined && step.at === "conflict") {
    return (
      <Conflict
        draft={draft}
        theirs={step.theirs}
        onTake={(next) => {
          setDraft(next);
          keep.reset();
          setStep({ at: "review" });
        }}
        onBack={again}
      />
    );
  }
  if (draft !== undefined && step.at === "review") {
    return (
      <div className="flex flex-col gap-3">
        <div className="flex flex-wrap items-center gap-2">
          <Button look="primary" isBusy={keep.isPending} onClick={() => keep.mutate(draft)}>
            Save
          </Button>
          <Button isBusy={rehearse.isPending} onClick={() => rehearse.mutate(draft)}>
            Try on the server
          </Button>
          <Button look="quiet" onClick={again}>
            Go on editing
          </Button>
        </div>
        <ProblemPanel error={failure} />
        <Compare label="What you change" before={textOf(draft.base)} after={draft.text} />
      </div>
    );
  }
  return (
    <div className="flex flex-col gap-3">
      <div className="flex min-h-9 flex-wrap items-center gap-2">
        {draft === undefined ? (
          <p className="text-sm text-muted">
            {isEditable
              ? "Type to change it; nothing is saved before you have seen the difference."
              : "It can only be read."}
          </p>
        ) : (
          <>
            <Button look="primary" onClick={() => setStep({ at: "review" })}>
              Review the changes
            </Button>
            <Button look="quiet" onClick={() => setDraft(undefined)}>
              Discard them
            </Button>
          </>
        )}
        {isBehind && (
          <p role="status" className="flex flex-wrap items-center gap-2 text-sm text-warn">
            It was changed meanwhile.
            <Button
              onClick={() => merge(draft).catch((reason) => toast.failed("It cannot be read now", reason))}
            >
              Merge
            </Button>
          </p>
        )}
      </div>
      <Fault draft={draft} />
      <div className="h-[max(24rem,calc(100dvh-20rem))]">
        <LazyYamlEditor
          label={`${object.metadata.name} as YAML`}
          value={draft?.text ?? shown}
          {...(isEditable ? { onChange: type, complete } : {})}
        />
      </div>
      <Leaving isTyped={draft !== undefined} />
    </div>
  );
}

/** Longer texts are not read at each letter, only when they are saved. */
const longest = 200_000;

/** What keeps the text from being an object. */
function Fault({ draft }: { draft: Draft | undefined }) {
  const fault = useMemo(() => {
    try {
      return draft === undefined || draft.text.length > longest ? undefined : void objectOf(draft.text);
    } catch (error) {
      return Problem.from(error);
    }
  }, [draft]);
  return fault === undefined ? null : (
    <p role="status" className="text-sm break-words whitespace-pre-wrap text-bad">
      {fault.message.split("\n")[0]}
    </p>
  );
}

/** Asks before what was typed would be lost; other tabs of the object keep it. */
function Leaving({ isTyped }: { isTyped: boolean }) {
  const blocker = useBlocker(({ currentLocation, nextLocation }) => {
    const root = currentLocation.pathname.replace(/\/yaml$/, "");
    return isTyped && !nextLocation.pathname.startsWith(root);
  });
  return (
    <Confirm
      isOpen={blocker.state === "blocked"}
      onClose={() => blocker.reset?.()}
      title="Leave what you typed?"
      action="Leave"
      isDangerous
      onConfirm={() => blocker.proceed?.()}
    >
      <p>Your changes are not saved, and are lost with this page.</p>
    </Confirm>
  );
}
