// Offers fields while YAML is typed, as a schema says them.

import { autocompletion, type CompletionContext, type CompletionResult } from "@codemirror/autocomplete";
import type { Extension } from "@codemirror/state";
import { columnOf, pathAbove } from "./yaml-path";

export interface OfferedField {
  name: string;
  type: string;
  description: string;
}

/** Fields below a path of fields. */
export type Complete = (path: readonly string[]) => readonly OfferedField[];

/** So many lines above are looked at. */
const most = 2000;

function offered(context: CompletionContext, complete: Complete): CompletionResult | null {
  const { state, pos } = context;
  const line = state.doc.lineAt(pos);
  const before = line.text.slice(0, pos - line.from);
  const word = /^\s*(?:-\s+)*(?<word>[\w-]*)$/.exec(before)?.groups?.word;
  if (word === undefined || (word === "" && !context.explicit)) {
    return null;
  }
  const above: string[] = [];
  for (let number = Math.max(1, line.number - most); number < line.number; number += 1) {
    above.push(state.doc.line(number).text);
  }
  const inside = before.includes("-") ? before.search(/-/) + 1 : columnOf(before);
  const fields = complete(pathAbove(above, inside));
  return {
    from: pos - word.length,
    options: fields.map(({ name, type, description }) => ({
      label: name,
      detail: type,
      info: description,
      apply: `${name}: `,
      type: "property",
    })),
    validFor: /^[\w-]*$/,
  };
}

export function completion(complete: () => Complete | undefined): Extension {
  return autocompletion({
    override: [(context) => offered(context, complete() ?? (() => []))],
    icons: false,
  });
}
