// The editor for YAML, loaded when it is first shown.

import { lazy, Suspense } from "react";
import { Loading } from "../page";
import type { YamlEditorProps } from "./yaml-editor";

const YamlEditor = lazy(() => import("./yaml-editor"));

export function LazyYamlEditor(props: YamlEditorProps) {
  return (
    <Suspense fallback={<Loading label="The editor is on its way" rows={6} />}>
      <YamlEditor {...props} />
    </Suspense>
  );
}
