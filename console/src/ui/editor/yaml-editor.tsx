// An editor for YAML. It is loaded when it is first shown: use `LazyYamlEditor`.

import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import {
  bracketMatching,
  foldGutter,
  foldKeymap,
  indentOnInput,
  syntaxHighlighting,
} from "@codemirror/language";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { useEffect, useRef } from "react";
import { type Complete, completion } from "./completion";
import { colours, theme } from "./theme";

export interface YamlEditorProps {
  /** What it is, for whoever does not see it. */
  label: string;
  value: string;
  /** What is typed; without it nothing can be. */
  onChange?: (value: string) => void;
  /** Offers fields while one types. */
  complete?: Complete;
}

function extensions(label: string, onChange: (value: string) => void) {
  return [
    lineNumbers(),
    foldGutter(),
    history(),
    drawSelection(),
    indentOnInput(),
    bracketMatching(),
    highlightActiveLine(),
    highlightSelectionMatches(),
    search({ top: true }),
    yaml(),
    syntaxHighlighting(colours),
    theme,
    keymap.of([...defaultKeymap, ...historyKeymap, ...foldKeymap, ...searchKeymap]),
    EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" }),
    EditorView.updateListener.of((update) => {
      if (update.docChanged) {
        onChange(update.state.doc.toString());
      }
    }),
  ];
}

export default function YamlEditor({ label, value, onChange, complete }: YamlEditorProps) {
  const parentRef = useRef<HTMLDivElement>(null);
  const viewRef = useRef<EditorView>(undefined);
  const onChangeRef = useRef(onChange);
  onChangeRef.current = onChange;
  const completeRef = useRef(complete);
  completeRef.current = complete;
  const isReadOnly = onChange === undefined;

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new value is put into the editor that is there
  useEffect(() => {
    const view = new EditorView({
      parent: parentRef.current ?? document.body,
      state: EditorState.create({
        doc: value,
        extensions: [
          extensions(label, (next) => onChangeRef.current?.(next)),
          isReadOnly
            ? EditorState.readOnly.of(true)
            : [completion(() => completeRef.current), keymap.of([indentWithTab])],
        ],
      }),
    });
    viewRef.current = view;
    return () => view.destroy();
  }, [label, isReadOnly]);

  useEffect(() => {
    const view = viewRef.current;
    const before = view?.state.doc.toString();
    if (view !== undefined && before !== value) {
      view.dispatch({ changes: { from: 0, to: before?.length ?? 0, insert: value } });
    }
  }, [value]);

  return (
    <div
      ref={parentRef}
      className="h-full min-h-0 overflow-hidden rounded-lg border border-line bg-surface"
    />
  );
}
