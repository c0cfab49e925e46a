// May somebody do something somewhere, and why: asked of the hub, explained by grants and roles.

import { skipToken, useQuery } from "@tanstack/react-query";
import type { FormEvent } from "react";
import { useId } from "react";
import { Link, useSearchParams } from "react-router";
import { answer, hub } from "../api/hub";
import type { components } from "../api/schema";
import { placeKinds } from "../grants/place";
import { pathTo, useAll } from "../objects/objects";
import { useMe } from "../session/session";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { CheckField, SelectField, TextField } from "../ui/field";
import { Loading, Page, Section } from "../ui/page";
import { ProblemPanel } from "../ui/problem-panel";
import { asked } from "./question";

type Access = components["schemas"]["Access"];

const verbs = [
  "get",
  "list",
  "watch",
  "create",
  "update",
  "patch",
  "delete",
  "connect",
  "sleep",
  "wake",
  "upgrade",
  "scale",
  "clone",
  "backup",
  "restore",
];

export function AccessPage() {
  const [query, setQuery] = useSearchParams();
  const question = asked(query);
  const { data, error, isFetching } = useQuery({
    queryKey: ["access", question],
    queryFn:
      question === undefined
        ? skipToken
        : () => answer(hub.GET("/api/v1/access", { params: { query: question } })),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = [...new FormData(event.currentTarget)].map(
      ([name, value]) => [name, String(value).trim()] as [string, string],
    );
    setQuery(new URLSearchParams(given.filter(([, value]) => value !== "")));
  };
  return (
    <Page title="Who may do what?" lead="The hub decides by grants and roles. Ask it, and see why.">
      <div className="grid items-start gap-5 lg:grid-cols-2">
        {/* Another address, such as of the button Back, begins with what it says. */}
        <QuestionForm key={query.toString()} query={query} onSubmit={submit} isBusy={isFetching} />
        <div className="flex flex-col gap-5" aria-live="polite">
          <ProblemPanel error={error} />
          {question !== undefined && data === undefined && error === null && (
            <Loading label="The answer is on its way" />
          )}
          {data !== undefined && (
            <Answer access={data} what={`${question?.verb ?? ""} ${question?.resource ?? ""}`} />
          )}
        </div>
      </div>
    </Page>
  );
}

interface QuestionFormProps {
  query: URLSearchParams;
  onSubmit: (event: FormEvent<HTMLFormElement>) => void;
  isBusy: boolean;
}

function QuestionForm({ query, onSubmit, isBusy }: QuestionFormProps) {
  const me = useMe();
  const users = useAll("users").data ?? [];
  const [people, words] = [useId(), useId()];
  const begin = (name: string) => ({ name, defaultValue: query.get(name) ?? "" });
  return (
    <form
      aria-label="Question"
      onSubmit={onSubmit}
      className="grid gap-5 rounded-xl border border-line bg-surface p-5 sm:grid-cols-2"
    >
      <TextField
        label="User"
        placeholder={me.user}
        list={people}
        spellCheck={false}
        {...begin("user")}
        hint="You, if it is empty."
      />
      <TextField
        label="In groups"
        placeholder="corp:developers"
        spellCheck={false}
        {...begin("groups")}
        hint="As a provider tells them."
      />
      <TextField
        label="May"
        placeholder="delete"
        list={words}
        spellCheck={false}
        {...begin("verb")}
        hint="Empty: all that holds."
      />
      <TextField label="What" placeholder="clusters, pods/log" spellCheck={false} {...begin("resource")} />
      <SelectField label="Where" {...begin("kind")}>
        <option value="">At the platform</option>
        {(["tenant", "project", "cluster"] as const).map((kind) => (
          <option key={kind} value={kind}>
            {placeKinds[kind]}
          </option>
        ))}
      </SelectField>
      <TextField label="Which one" placeholder="acme" spellCheck={false} {...begin("place")} />
      <CheckField
        label="Objects inside the cluster"
        hint="Not those of the hub."
        name="inside"
        value="true"
        defaultChecked={query.get("inside") === "true"}
      />
      <TextField
        label="API group"
        placeholder="apps"
        spellCheck={false}
        {...begin("group")}
        hint="Of objects inside."
      />
      <div>
        <Button type="submit" look="primary" isBusy={isBusy}>
          Ask
        </Button>
      </div>
      <datalist id={people}>
        {users.map(({ name }) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <datalist id={words}>
        {verbs.map((verb) => (
          <option key={verb} value={verb} />
        ))}
      </datalist>
    </form>
  );
}

function Answer({ access, what }: { access: Access; what: string }) {
  const { allowed, by, holds, user } = access;
  return (
    <Section title="Answer">
      {allowed != null && (
        <div className="mb-4 flex flex-col gap-2 text-sm">
          <p className="flex flex-wrap items-center gap-2 text-base font-semibold">
            <Badge tone={allowed ? "ok" : "bad"}>{allowed ? "Allowed" : "Denied"}</Badge>
            <span className="wrap-anywhere">
              {user} {allowed ? "may" : "may not"} {what}
            </span>
          </p>
          <p className="wrap-anywhere">
            {by == null
              ? "No role that holds there allows it. Whoever owns the place can give one that does."
              : `The grant ${by.grant} gives ${by.to} the role ${by.role} at ${by.at}, and the role allows it.`}
          </p>
        </div>
      )}
      <h3 className="text-sm font-medium">All that holds there, the narrowest first</h3>
      {holds.length === 0 && <p className="mt-1 text-sm text-muted">Nothing.</p>}
      <ul className="mt-1 flex flex-col gap-1.5 text-sm">
        {holds.map((held) => (
          <li key={held.grant} className="wrap-anywhere">
            <Link to={pathTo("roles", held.role)} className="font-medium text-accent underline">
              {held.role}
            </Link>{" "}
            <span className="text-muted">
              at {held.at}, to {held.to}, by {held.grant}
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
}
