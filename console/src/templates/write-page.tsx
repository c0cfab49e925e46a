// Writes a template as YAML, and shows what comes of it once it is saved.

import { useMutation } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useForm, useWatch } from "react-hook-form";
import { useNavigate, useParams } from "react-router";
import { IdempotencyKeys } from "../api/idempotency";
import { Problem } from "../api/problem";
import { Conflict } from "../objects/conflict";
import { make, pathTo, read, useOne, type Wanted, write } from "../objects/objects";
import { OnePage } from "../objects/one-page";
import { Button, ButtonLink } from "../ui/button";
import { LazyYamlEditor } from "../ui/editor/lazy-yaml-editor";
import { Loading, Page, Section } from "../ui/page";
import { ProblemPanel } from "../ui/problem-panel";
import { toast } from "../ui/toast";
import { example } from "./example";
import { ParameterFields } from "./parameter-fields";
import { Rendered } from "./rendered";
import { defaultsOf, isComplete, newest, type Template, valuesOf } from "./template";
import { useYaml } from "./yaml";

export function NewTemplatePage() {
  return (
    <Page
      title="Write a template"
      lead="Begin with the example: change what clusters have, and what is asked."
    >
      <TemplateEditor />
    </Page>
  );
}

export function EditTemplatePage() {
  const { name = "" } = useParams();
  const query = useOne("templates", name);
  return (
    <OnePage
      title={`Edit ${name}`}
      noun="templates"
      query={query}
      lead={() => "What is published does not change: add a version, and deprecate the one before."}
    >
      {(template) => <TemplateEditor template={template} />}
    </OnePage>
  );
}

/** As the hub is asked: what is wrong with the text is an error. */
function readTemplate(text: string, parse: (text: string) => unknown): Wanted<"templates"> {
  const read = parse(text);
  if (typeof read !== "object" || read === null || !("name" in read) || !("spec" in read)) {
    throw new Error("A template has a name and a spec.");
  }
  return read as Wanted<"templates">;
}

function TemplateEditor({ template: given }: { template?: Template }) {
  const yaml = useYaml();
  const [base, setBase] = useState(given);
  const [typed, setTyped] = useState<string>();
  const [theirs, setTheirs] = useState<Template>();
  const [keys] = useState(() => new IdempotencyKeys());
  const navigate = useNavigate();
  useEffect(() => {
    if (yaml !== undefined) {
      setTyped((before) => before ?? (given === undefined ? example : yaml.stringify(shown(given))));
    }
  }, [yaml, given]);
  const save = useMutation({
    mutationFn: async (version: string | undefined) => {
      const wanted = readTemplate(typed ?? "", yaml?.parse ?? JSON.parse);
      return version === undefined ? make("templates", wanted, keys) : write("templates", wanted, version);
    },
    onSuccess: ({ name }) => {
      toast.done(`${name} is saved`);
      navigate(pathTo("templates", name));
    },
    onError: async (error) => {
      if (base !== undefined && Problem.from(error).code === "changed") {
        setTheirs(await read("templates", base.name));
      }
    },
  });
  if (yaml === undefined || typed === undefined) {
    return <Loading label="The editor is on its way" rows={8} />;
  }
  const faults = Problem.from(save.error).faults;
  return (
    <div className="grid items-start gap-5 lg:grid-cols-2">
      <div className="flex min-w-0 flex-col gap-4">
        <div className="h-[60dvh]">
          <LazyYamlEditor label="The template as YAML" value={typed} onChange={setTyped} />
        </div>
        {theirs !== undefined ? (
          <Conflict
            mine={readTemplate(typed, yaml.parse).spec}
            theirs={theirs.spec}
            isBusy={save.isPending}
            onOverwrite={() => save.mutate(theirs.version)}
            onTakeTheirs={() => {
              setBase(theirs);
              setTyped(yaml.stringify(shown(theirs)));
              setTheirs(undefined);
              save.reset();
            }}
          />
        ) : (
          save.error !== null && (
            <ProblemPanel error={save.error}>
              <ul className="mt-2 flex list-disc flex-col gap-1 pl-5">
                {faults.map(({ field, detail }) => (
                  <li key={field + detail} className="wrap-anywhere">
                    <code className="font-mono text-xs">{field}</code>: {detail}
                  </li>
                ))}
              </ul>
            </ProblemPanel>
          )
        )}
        <div className="flex gap-2">
          <Button look="primary" isBusy={save.isPending} onClick={() => save.mutate(base?.version)}>
            Save
          </Button>
          <ButtonLink to={given === undefined ? "/templates" : pathTo("templates", given.name)}>
            Cancel
          </ButtonLink>
        </div>
      </div>
      {base !== undefined && <Tried template={base} />}
    </div>
  );
}

/** As it is written: what the hub keeps beside it is left out. */
function shown({ name, labels, spec }: Template) {
  return { name, ...(Object.keys(labels).length === 0 ? {} : { labels }), spec };
}

/** What comes of the template as it is saved, with whatever is tried. */
function Tried({ template }: { template: Template }) {
  const version = newest(template.spec.versions) ?? template.spec.versions.at(-1);
  const parameters = version?.parameters ?? [];
  const form = useForm({ defaultValues: { parameters: defaultsOf(parameters) } });
  const typed = useWatch({ control: form.control, name: "parameters" });
  return (
    <div className="flex flex-col gap-5">
      <Rendered
        isReady={isComplete(parameters, typed)}
        trial={{
          template: template.name,
          version: version?.version ?? "",
          name: "",
          parameters: valuesOf(parameters, typed),
        }}
      />
      {parameters.length > 0 && (
        <Section title="Try it with">
          <div className="grid gap-5 sm:grid-cols-2">
            <ParameterFields form={form} parameters={parameters} />
          </div>
        </Section>
      )}
    </div>
  );
}
