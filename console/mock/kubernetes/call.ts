// What a played cluster is asked, and how it fails.

export interface Called {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: Headers;
  body: unknown;
  signal: AbortSignal;
}

/** A failure as Kubernetes tells it. */
export function status(code: number, reason: string, message: string, details: object = {}): Response {
  const body = { kind: "Status", apiVersion: "v1", status: "Failure", code, reason, message, details };
  return Response.json(body, { status: code });
}
