// The object that will be made, as YAML.

import { useEffect, useState } from "react";
import { type Control, useWatch } from "react-hook-form";
import { LazyYamlEditor } from "../../ui/editor/lazy-yaml-editor";
import { Section } from "../../ui/page";
import { manifestOf, type Typed } from "./new-cluster";

export function Preview({ control }: { control: Control<Typed> }) {
  const typed = useWatch({ control }) as Typed;
  const [write, setWrite] = useState<(value: object) => string>();
  useEffect(() => {
    void import("yaml").then(({ stringify }) => setWrite(() => (value: object) => stringify(value)));
  }, []);
  return (
    <Section title="What is made">
      <p className="mb-3 text-sm text-muted">
        The same can be applied with kubectl, or kept in Git. The namespace is the tenant's.
      </p>
      <div className="h-96">
        <LazyYamlEditor label="The object as YAML" value={write?.(manifestOf(typed)) ?? ""} />
      </div>
    </Section>
  );
}
