// Makes objects of YAML, as many documents as there are; what fails stays, with why.

import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useSearchParams } from "react-router";
import { Problem } from "../../api/problem";
import { Badge } from "../../ui/badge";
import { Button, ButtonLink } from "../../ui/button";
import { LazyYamlEditor } from "../../ui/editor/lazy-yaml-editor";
import { counted } from "../../ui/format";
import { Page, Section } from "../../ui/page";
import { ProblemPanel } from "../../ui/problem-panel";
import { useExplorer } from "../explorer-page";
import { NamespaceField } from "../list/filter-bar";
import { explorerPath, objectPath } from "../paths";
import { objectsOf, textOf } from "./draft";
import { create, type Made } from "./save";

const example = `apiVersion: v1
kind: ConfigMap
metadata:
  name: example
data:
  greeting: hello
`;

interface Result {
  name: string;
  made?: Made;
  problem?: Problem;
}

interface Outcome {
  isRehearsal: boolean;
  results: Result[];
}

export function CreateObjectsPage() {
  const { cluster, name, kinds } = useExplorer();
  const [query] = useSearchParams();
  const [text, setText] = useState(example);
  const [namespace, setNamespace] = useState(query.get("namespace") ?? "default");
  const run = useMutation({
    mutationFn: async (isRehearsal: boolean): Promise<Outcome> => {
      const objects = objectsOf(text);
      const results: Result[] = [];
      for (const object of objects) {
        const what = `${object.kind} ${object.metadata.name ?? ""}`;
        try {
          results.push({
            name: what,
            made: await create(cluster, kinds, object, namespace || "default", isRehearsal),
          });
        } catch (error) {
          results.push({ name: what, problem: Problem.from(error) });
        }
      }
      const failed = objects.filter((_, place) => results[place]?.problem !== undefined);
      if (!isRehearsal && failed.length > 0 && failed.length < objects.length) {
        // What was made is left out, so that the rest can be tried again alone.
        setText(failed.map(textOf).join("---\n"));
      }
      return { isRehearsal, results };
    },
  });
  return (
    <Page
      title="Create from YAML"
      lead={`In ${name}. Several documents are made one after the other.`}
      actions={<ButtonLink to={explorerPath(cluster)}>Back</ButtonLink>}
    >
      <div className="flex flex-wrap items-center gap-2 text-sm">
        <span className="text-muted">What names no namespace comes into</span>
        <NamespaceField value={namespace} onChange={setNamespace} />
      </div>
      <div className="h-[max(20rem,calc(100dvh-26rem))]">
        <LazyYamlEditor label="Objects as YAML" value={text} onChange={setText} />
      </div>
      <ProblemPanel error={run.error} />
      {run.data !== undefined && <Results outcome={run.data} cluster={cluster} />}
      <div className="flex gap-2">
        <Button look="primary" isBusy={run.isPending} onClick={() => run.mutate(false)}>
          Create
        </Button>
        <Button isBusy={run.isPending} onClick={() => run.mutate(true)}>
          Try on the server
        </Button>
      </div>
    </Page>
  );
}

function Results({ outcome: { isRehearsal, results }, cluster }: { outcome: Outcome; cluster: string }) {
  const failed = results.filter(({ problem }) => problem !== undefined).length;
  const good = results.length - failed;
  const title = isRehearsal
    ? `The cluster would take ${good} of ${counted(results.length, "object")}`
    : `${good} of ${counted(results.length, "object")} made`;
  return (
    <Section title={title}>
      <ul className="-my-3 divide-y divide-line" aria-label="Results">
        {results.map(({ name, made, problem }, place) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: results stay in their order
          <li key={place} className="flex flex-col gap-1 py-3 text-sm">
            <span className="flex flex-wrap items-center gap-2">
              <Badge tone={problem === undefined ? "ok" : "bad"}>
                {problem === undefined ? (isRehearsal ? "Would work" : "Made") : "Refused"}
              </Badge>
              {made !== undefined && !isRehearsal ? (
                <Link
                  to={objectPath(
                    cluster,
                    made.kind,
                    made.object.metadata.namespace,
                    made.object.metadata.name,
                  )}
                  className="min-w-0 break-words text-accent hover:underline"
                >
                  {name}
                </Link>
              ) : (
                <span className="min-w-0 break-words">{name}</span>
              )}
            </span>
            {problem !== undefined && <span className="break-words text-muted">{problem.message}</span>}
          </li>
        ))}
      </ul>
    </Section>
  );
}
