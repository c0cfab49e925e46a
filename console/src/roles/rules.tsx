// What a role allows, rule by rule, in words.

import type { Specs } from "../objects/objects";

export type Rule = NonNullable<Specs["roles"]["hub"]>[number];

const all = (names: readonly string[], one: string) =>
  names.includes("*") ? `all ${one}` : names.map((name) => name || "core").join(", ");

/** Such as `get, list: pods, pods/log (core)`. */
export function ruleText({ verbs, resources, apiGroups = [], resourceNames = [] }: Rule): string {
  const groups = apiGroups.filter((group) => group !== "");
  const of = groups.length === 0 ? "" : ` of ${all(groups, "API groups")}`;
  const named = resourceNames.length === 0 ? "" : `, only ${resourceNames.join(", ")}`;
  return `${all(verbs, "verbs")}: ${all(resources, "resources")}${of}${named}`;
}

export function Rules({ rules, none }: { rules: readonly Rule[]; none: string }) {
  if (rules.length === 0) {
    return <p className="text-sm text-muted">{none}</p>;
  }
  return (
    <ul className="flex list-disc flex-col gap-1 pl-5 text-sm">
      {rules.map((rule) => (
        <li key={ruleText(rule)} className="wrap-anywhere">
          {ruleText(rule)}
        </li>
      ))}
    </ul>
  );
}
