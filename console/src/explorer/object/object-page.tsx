// One object: what it is, what can be done with it, and tabs for all else.

import { useState } from "react";
import { Link, Outlet, useOutletContext, useParams } from "react-router";
import { pathOf } from "../../clusters/columns";
import { collectionPath, type Kind, titleOf } from "../../kubernetes/kinds";
import { type KubernetesObject, textAt } from "../../kubernetes/objects";
import { useObject } from "../../kubernetes/use-object";
import { Badge } from "../../ui/badge";
import { ButtonLink } from "../../ui/button";
import { Empty, Loading, Page } from "../../ui/page";
import { ProblemPanel } from "../../ui/problem-panel";
import { type Tab, Tabs } from "../../ui/tabs";
import { type Explorer, NoSuchKind, useExplorer, useKind } from "../explorer-page";
import { toneOf } from "../list/columns";
import { listPath, noNamespace } from "../paths";
import { StaleNote } from "../stale-note";
import type { Draft } from "../yaml/draft";
import { ObjectActions } from "./actions";

interface ShownObject extends Explorer {
  kind: Kind;
  object: KubernetesObject;
  isDeleted: boolean;
  /** What was typed and not saved yet; it stays while one looks at other tabs. */
  draft: Draft | undefined;
  setDraft: (draft: Draft | undefined) => void;
}

/** The object whose page it is, in each of its tabs. */
export function useShownObject(): ShownObject {
  return useOutletContext<ShownObject>();
}

export function ObjectPage() {
  const { resource = "", namespace, name = "" } = useParams();
  const kind = useKind();
  return kind === undefined ? (
    <NoSuchKind resource={resource} />
  ) : (
    <OneObject key={`${resource}/${namespace}/${name}`} kind={kind} />
  );
}

function tabsOf({ id }: Kind): Tab[] {
  return [
    { path: "", label: "Summary" },
    { path: "yaml", label: "YAML" },
    ...(id === "pods"
      ? [
          { path: "logs", label: "Logs" },
          { path: "shell", label: "Shell" },
        ]
      : []),
  ];
}

function OneObject({ kind }: { kind: Kind }) {
  const explorer = useExplorer();
  const { namespace: given, name = "" } = useParams();
  const namespace = given === noNamespace ? undefined : given;
  const { object, isDeleted, problem, retry } = useObject(
    explorer.cluster,
    collectionPath(kind, namespace),
    name,
  );
  const [draft, setDraft] = useState<Draft>();
  const back = (
    <Link to={listPath(explorer.cluster, kind, namespace)} className="text-accent underline">
      {titleOf(kind)}
    </Link>
  );
  const lead = (
    <span className="flex flex-wrap items-center gap-x-2 gap-y-1">
      <span>
        <Link to={pathOf({ id: explorer.cluster })} className="text-accent underline">
          {explorer.name}
        </Link>{" "}
        · {back}
        {namespace !== undefined && ` · ${namespace}`}
      </span>
      {object !== undefined && <StateOf object={object} isDeleted={isDeleted} />}
    </span>
  );
  if (object === undefined) {
    return (
      <Page title={name} lead={lead}>
        {isDeleted ? (
          <Empty
            title="There is no such object"
            actions={
              <ButtonLink to={listPath(explorer.cluster, kind, namespace)}>{titleOf(kind)}</ButtonLink>
            }
          >
            It was deleted, or never was there.
          </Empty>
        ) : problem !== undefined ? (
          <ProblemPanel error={problem} onRetry={retry} />
        ) : (
          <Loading label="The object is on its way" rows={8} />
        )}
      </Page>
    );
  }
  const actions = isDeleted ? undefined : <ObjectActions kind={kind} object={object} />;
  return (
    <Page title={name} lead={lead} actions={actions}>
      {isDeleted ? (
        <p role="status" className="rounded-lg border border-warn bg-warn-soft px-4 py-3 text-sm">
          It was deleted. You see what it was.
        </p>
      ) : (
        problem !== undefined && <StaleNote problem={problem} onRetry={retry} />
      )}
      <Tabs label="Object" tabs={tabsOf(kind)} />
      <Outlet context={{ ...explorer, kind, object, isDeleted, draft, setDraft } satisfies ShownObject} />
    </Page>
  );
}

function StateOf({ object, isDeleted }: { object: KubernetesObject; isDeleted: boolean }) {
  const phase = textAt(object, "status", "phase");
  if (isDeleted) {
    return <Badge tone="bad">Deleted</Badge>;
  }
  if (object.metadata.deletionTimestamp !== undefined) {
    return <Badge tone="busy">Terminating</Badge>;
  }
  return phase === undefined ? null : <Badge tone={toneOf(phase)}>{phase}</Badge>;
}
