// The page of one object: while it is on its way, when it is not there, and then what is in it.

import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Problem } from "../api/problem";
import { ButtonLink } from "../ui/button";
import { Empty, Loading, Page } from "../ui/page";
import { ProblemPanel } from "../ui/problem-panel";

interface OnePageProps<T> {
  title: string;
  /** Where all of its kind are. */
  noun: string;
  query: UseQueryResult<T>;
  lead?: (object: T) => ReactNode;
  actions?: (object: T) => ReactNode;
  children: (object: T) => ReactNode;
}

export function OnePage<T>(props: OnePageProps<T>) {
  const { title, noun, query, lead, actions, children } = props;
  const { data, error, refetch } = query;
  const isMissing = error !== null && Problem.from(error).code === "not-found";
  if (data === undefined || isMissing) {
    return (
      <Page title={title}>
        {isMissing ? (
          <Empty
            title="There is nothing of this name"
            actions={<ButtonLink to={`/${noun}`}>All {noun}</ButtonLink>}
          >
            It was deleted, or you may not see it; ask its owner for a grant.
          </Empty>
        ) : error === null ? (
          <Loading label={`${title} is on its way`} rows={8} />
        ) : (
          <ProblemPanel error={error} onRetry={refetch} />
        )}
      </Page>
    );
  }
  return (
    <Page title={title} lead={lead?.(data)} actions={actions?.(data)}>
      {error !== null && <ProblemPanel error={error} onRetry={refetch} />}
      {children(data)}
    </Page>
  );
}
