// Failures of requests: problem details (RFC 9457) as the hub answers them, a Status as clusters do, and a hub that does
// not answer.

import type { components } from "./schema";
import { isStatus, told } from "./status";

type Answered = components["schemas"]["Problem"];
export type FieldFault = components["schemas"]["FieldError"];

/** What went wrong, for programs; `away` if the hub did not answer at all. */
export type ProblemCode = Answered["code"] | "away";

const away = "The hub does not answer. Check your connection; nothing that you typed is lost, try again.";

/** A request that failed, with what a person is told. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly status: number;
  readonly code: ProblemCode;
  readonly title: string;
  /** When it is worth another try, in seconds. */
  readonly retryAfter: number | undefined;
  /** What is wrong with which field, where the hub knows it. */
  readonly faults: readonly FieldFault[];

  constructor(told: {
    status: number;
    code: ProblemCode;
    title: string;
    detail: string;
    retryAfter?: number;
    faults?: readonly FieldFault[];
  }) {
    super(told.detail);
    this.status = told.status;
    this.code = told.code;
    this.title = told.title;
    this.retryAfter = told.retryAfter;
    this.faults = told.faults ?? [];
  }

  /** Of an answer that is none of success. What is no problem details comes from something before the hub. */
  static async of(response: Response): Promise<Problem> {
    const body: unknown = await response.json().catch(() => undefined);
    if (isAnswered(body)) {
      const { status, code, title, detail, retry_after, errors } = body;
      return new Problem({
        status,
        code,
        title,
        detail,
        ...(retry_after == null ? {} : { retryAfter: retry_after }),
        ...(errors === undefined ? {} : { faults: errors }),
      });
    }
    if (isStatus(body)) {
      return new Problem(told(body, response.status));
    }
    const title = response.statusText || `Status ${response.status}`;
    return new Problem({ status: response.status, code: "away", title, detail: away });
  }

  /** Of whatever was thrown. */
  static from(thrown: unknown): Problem {
    if (thrown instanceof Problem) {
      return thrown;
    }
    if (thrown instanceof TypeError) {
      return new Problem({ status: 0, code: "away", title: "No answer", detail: away });
    }
    const detail = thrown instanceof Error ? thrown.message : String(thrown);
    return new Problem({ status: 0, code: "internal", title: "The console failed", detail });
  }
}

function isAnswered(body: unknown): body is Answered {
  return typeof body === "object" && body !== null && "code" in body && "detail" in body && "title" in body;
}
