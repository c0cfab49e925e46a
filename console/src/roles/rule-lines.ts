// Rules of a role as lines of a text: `get,list: pods,pods/log (apps) [settings]`.

import type { Rule } from "./rules";

const line = /^([^:]+):([^([]+)(?:\(([^)]*)\))?\s*(?:\[([^\]]*)\])?$/;

const names = (text: string) =>
  text
    .split(",")
    .map((name) => name.trim())
    .filter(Boolean);

/** Nothing if a line is none of a rule. */
export function readRules(text: string): Rule[] | undefined {
  const rules: Rule[] = [];
  for (const written of text.split("\n").map((each) => each.trim())) {
    if (written === "") {
      continue;
    }
    const [, verbs = "", resources = "", groups = "", resourceNames = ""] = line.exec(written) ?? [];
    if (names(verbs).length === 0 || names(resources).length === 0) {
      return undefined;
    }
    rules.push({
      verbs: names(verbs),
      resources: names(resources),
      // The core group has no name: no group is that one.
      apiGroups: groups.trim() === "" ? [""] : names(groups).map((group) => (group === "core" ? "" : group)),
      ...(resourceNames.trim() === "" ? {} : { resourceNames: names(resourceNames) }),
    });
  }
  return rules;
}

export function writeRules(rules: readonly Rule[]): string {
  return rules
    .map(({ verbs, resources, apiGroups = [], resourceNames = [] }) => {
      const isCore = apiGroups.every((group) => group === "");
      const groups = isCore ? "" : ` (${apiGroups.map((group) => group || "core").join(", ")})`;
      const named = resourceNames.length === 0 ? "" : ` [${resourceNames.join(", ")}]`;
      return `${verbs.join(",")}: ${resources.join(",")}${groups}${named}`;
    })
    .join("\n");
}
