// What differs between two texts. It is loaded when it is first shown.

import { defaultKeymap } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { syntaxHighlighting } from "@codemirror/language";
import { unifiedMergeView } from "@codemirror/merge";
import { EditorState } from "@codemirror/state";
import { EditorView, keymap, lineNumbers } from "@codemirror/view";
import { useEffect, useRef } from "react";
import { colours, theme } from "./theme";

export interface DifferenceProps {
  /** What it is, for whoever does not see it. */
  label: string;
  before: string;
  after: string;
  /** What is typed into the text of after; without it nothing can be. */
  onChange?: (after: string) => void;
}

/** A difference of a large text is told coarsely rather than late. */
const diffConfig = { scanLimit: 500, timeout: 200 };

export default function Difference({ label, before, after, onChange }: DifferenceProps) {
  const parentRef = useRef<HTMLDivElement>(null);
  const onChangeRef = useRef(onChange);
  onChangeRef.current = onChange;
  const isReadOnly = onChange === undefined;

  // biome-ignore lint/correctness/useExhaustiveDependencies: what is typed here comes back as another text
  useEffect(() => {
    const view = new EditorView({
      parent: parentRef.current ?? document.body,
      state: EditorState.create({
        doc: after,
        extensions: [
          lineNumbers(),
          yaml(),
          syntaxHighlighting(colours),
          theme,
          keymap.of(defaultKeymap),
          EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" }),
          isReadOnly ? [EditorState.readOnly.of(true), EditorView.editable.of(false)] : [],
          EditorView.updateListener.of((update) => {
            if (update.docChanged) {
              onChangeRef.current?.(update.state.doc.toString());
            }
          }),
          unifiedMergeView({
            original: before,
            mergeControls: false,
            gutter: true,
            collapseUnchanged: { margin: 3, minSize: 6 },
            diffConfig,
          }),
        ],
      }),
    });
    return () => view.destroy();
  }, [label, before, isReadOnly, isReadOnly ? after : ""]);

  return (
    <div
      ref={parentRef}
      className="h-full min-h-0 overflow-hidden rounded-lg border border-line bg-surface"
    />
  );
}
