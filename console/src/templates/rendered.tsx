// What comes of a template with parameters, as the hub makes it: asked while somebody types.

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useDeferredValue, useEffect, useState } from "react";
import { answer, hub } from "../api/hub";
import { LazyYamlEditor } from "../ui/editor/lazy-yaml-editor";
import { Section } from "../ui/page";
import { ProblemPanel } from "../ui/problem-panel";
import { useYaml } from "./yaml";

/** So long nothing is typed before the hub is asked, in milliseconds. */
const rest = 400;

export interface Trial {
  template: string;
  version: string;
  name: string;
  parameters: Record<string, string | number | boolean>;
}

interface RenderedProps {
  trial: Trial;
  /** Whether all is said that must be: before it the hub would only refuse. */
  isReady: boolean;
}

export function Rendered({ trial, isReady }: RenderedProps) {
  const text = useDeferredValue(JSON.stringify(trial));
  const [asked, setAsked] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(text), rest);
    return () => clearTimeout(timer);
  }, [text]);
  const { data, error } = useQuery({
    queryKey: ["templates", "render", asked],
    enabled: isReady,
    queryFn: () => {
      const { template, version, name, parameters } = JSON.parse(asked) as Trial;
      const body = {
        version: version === "" ? null : version,
        name: name === "" ? null : name,
        parameters,
      };
      return answer(
        hub.POST("/api/v1/templates/{name}/render", { params: { path: { name: template } }, body }),
      );
    },
    placeholderData: keepPreviousData,
  });
  const yaml = useYaml();
  const told =
    data === undefined
      ? "Answer what is required, and the object that the hub makes of it stands here."
      : (data.deprecated ?? `From version ${data.version} of the template, as the hub makes it.`);
  return (
    <Section title="What is made">
      {error === null ? (
        <p className="mb-3 text-sm text-muted wrap-anywhere">{told}</p>
      ) : (
        <div className="mb-3">
          <ProblemPanel error={error} />
        </div>
      )}
      <div className="h-96">
        <LazyYamlEditor
          label="The object as YAML"
          value={data === undefined ? "" : (yaml?.stringify(data.object) ?? "")}
        />
      </div>
    </Section>
  );
}
