// Failures as Kubernetes tells them (`Status` of meta/v1): by the cluster itself, or by the hub before it.

import type { components } from "./schema";

type Code = components["schemas"]["Problem"]["code"];

export interface Status {
  kind: "Status";
  status?: string;
  message?: string;
  reason?: string;
  code?: number;
  details?: {
    retryAfterSeconds?: number;
    causes?: { reason?: string; message?: string; field?: string }[];
  };
}

const codes: Record<string, Code> = {
  BadRequest: "invalid",
  Invalid: "invalid",
  Unauthorized: "unauthenticated",
  Forbidden: "denied",
  NotFound: "not-found",
  AlreadyExists: "exists",
  Conflict: "changed",
  TooManyRequests: "too-many",
  ServiceUnavailable: "unavailable",
  ServerTimeout: "unavailable",
  Timeout: "unavailable",
  RequestEntityTooLarge: "too-large",
};

const titles: Record<string, string> = {
  BadRequest: "The cluster does not understand it",
  Invalid: "The cluster does not take it",
  Forbidden: "You may not do this in the cluster",
  NotFound: "It is not there",
  AlreadyExists: "There is one of this name already",
  Conflict: "Somebody else changed it meanwhile",
  Expired: "What was asked about is too long ago",
  ServiceUnavailable: "The cluster does not answer",
};

export function isStatus(body: unknown): body is Status {
  return typeof body === "object" && body !== null && "kind" in body && body.kind === "Status";
}

/** What a person is told of it. An eviction that a budget forbids is not asked for again by itself. */
export function told({ reason = "", message, code, details }: Status, status = code ?? 500) {
  const budgets = (details?.causes ?? []).filter((cause) => cause.reason === "DisruptionBudget");
  const seconds = details?.retryAfterSeconds;
  return {
    status,
    code: codes[reason] ?? (status >= 502 && status <= 504 ? "unavailable" : "internal"),
    title: titles[reason] ?? `The cluster answered ${status}`,
    detail: [message ?? "It does not say why.", ...budgets.map((cause) => cause.message ?? "")]
      .join(" ")
      .trim(),
    ...(seconds === undefined || seconds <= 0 || budgets.length > 0 ? {} : { retryAfter: seconds }),
  } as const;
}
