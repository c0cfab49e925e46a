// What narrows the audit log. It is asked again on Enter and after each choice, not with each letter.

import type { FormEvent } from "react";
import { Button } from "../ui/button";
import { control } from "../ui/field";
import { decisions, spans, texts } from "./query";

interface FilterFormProps {
  query: URLSearchParams;
  onChange: (query: URLSearchParams) => void;
}

const labels: Record<(typeof texts)[number], string> = {
  actor: "Who",
  verb: "Verb",
  resource: "Resource",
  name: "Name",
  cluster: "Cluster",
  tenant: "Tenant",
};

export function FilterForm({ query, onChange }: FilterFormProps) {
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = [...new FormData(event.currentTarget)].map(
      ([name, value]) => [name, String(value).trim()] as [string, string],
    );
    onChange(new URLSearchParams(given.filter(([, value]) => value !== "")));
  };
  const choose = (event: FormEvent<HTMLSelectElement>) => event.currentTarget.form?.requestSubmit();
  return (
    <form
      // Another address, such as of the button Back, begins with what it says.
      key={query.toString()}
      aria-label="Entries"
      onSubmit={submit}
      className="flex flex-wrap items-center gap-2"
    >
      {texts.map((name) => (
        <input
          key={name}
          name={name}
          aria-label={labels[name]}
          placeholder={labels[name]}
          defaultValue={query.get(name) ?? ""}
          spellCheck={false}
          className={`${control} flex-1 basis-28`}
        />
      ))}
      <select
        name="decision"
        aria-label="Decision"
        defaultValue={query.get("decision") ?? ""}
        onChange={choose}
        className={`${control} flex-1 basis-32 sm:flex-none`}
      >
        <option value="">Any decision</option>
        {decisions.map((decision) => (
          <option key={decision}>{decision}</option>
        ))}
      </select>
      <select
        name="span"
        aria-label="Time"
        defaultValue={query.get("span") ?? ""}
        onChange={choose}
        className={`${control} flex-1 basis-32 sm:flex-none`}
      >
        <option value="">Any time</option>
        {Object.entries(spans).map(([name, { label }]) => (
          <option key={name} value={name}>
            {label}
          </option>
        ))}
      </select>
      <Button type="submit">Search</Button>
    </form>
  );
}
