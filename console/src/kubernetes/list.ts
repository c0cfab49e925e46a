// A live list: its pages one after the other, then what changes; what is known stays while the cluster is away.

import { Problem } from "../api/problem";
import { backoff } from "../live/backoff";
import { askJson } from "./request";
import { asTable, type Row, rowsOf, type Table, type TableColumn, versionOf } from "./tables";
import { isGone, type WatchEvent, watch } from "./watch";

export interface List {
  columns: readonly TableColumn[];
  rows: readonly Row[];
  /** How many are not there yet; nothing if it is not known. */
  remaining: number | undefined;
  /** Whether all are there that were at some time. */
  isComplete: boolean;
  /** Why it is not live any more, and since when in milliseconds of the epoch. */
  stale: { problem: Problem; since: number } | undefined;
}

export interface ListQuery {
  cluster: string;
  path: string;
  labels?: string;
  fields?: string;
}

const page = 500;
/** Changes are drawn so often, in milliseconds; long lists take the browser longer. */
const often = 100;
const rarely = 750;
const long = 5000;

/** What does not become better by itself: somebody has to change something first. */
const lasting = new Set<string>(["denied", "not-found", "invalid", "unauthenticated"]);

export function queryOf({ labels, fields }: ListQuery): URLSearchParams {
  return new URLSearchParams({
    ...(labels ? { labelSelector: labels } : {}),
    ...(fields ? { fieldSelector: fields } : {}),
  });
}

/** Follows a list until it is aborted, or refused; `draw` gets what there is. */
export class Follower {
  readonly #query: ListQuery;
  readonly #draw: (list: List) => void;
  readonly #signal: AbortSignal;
  #rows = new Map<string, Row>();
  #shown: List;
  #version: string | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(query: ListQuery, before: List, draw: (list: List) => void, signal: AbortSignal) {
    this.#query = query;
    this.#shown = before;
    this.#draw = draw;
    this.#signal = signal;
  }

  async follow(): Promise<void> {
    let failures = 0;
    while (!this.#signal.aborted) {
      try {
        await this.#once();
        failures = 0;
      } catch (error) {
        if (this.#signal.aborted) {
          break;
        }
        failures += 1;
        if (isGone(error)) {
          this.#version = undefined;
        } else if (this.#fail(Problem.from(error))) {
          break;
        }
      }
      await pause(backoff(Math.max(failures, 1), Math.random()), this.#signal);
    }
    clearTimeout(this.#timer);
  }

  async #once(): Promise<void> {
    if (this.#version === undefined) {
      await this.#list();
    }
    const query = queryOf(this.#query);
    query.set("resourceVersion", this.#version ?? "");
    const options = { accept: asTable, signal: this.#signal };
    for await (const events of watch<Table>(this.#query.cluster, this.#query.path, query, options)) {
      for (const event of events) {
        this.#take(event);
      }
      this.#change({ rows: [], stale: undefined });
    }
  }

  /** All pages. Rows that are shown stay until the last has come, unless there never were all. */
  async #list(): Promise<void> {
    this.#rows = new Map();
    let next: string | undefined = "";
    while (next !== undefined) {
      const query = queryOf(this.#query);
      query.set("limit", String(page));
      if (next !== "") {
        query.set("continue", next);
      }
      const options = { accept: asTable, signal: this.#signal };
      const table: Table = await askJson(this.#query.cluster, `${this.#query.path}?${query}`, options);
      this.#put(rowsOf(table));
      next = table.metadata?.continue || undefined;
      this.#version = next === undefined ? table.metadata?.resourceVersion : undefined;
      this.#change({
        ...(table.columnDefinitions === undefined ? {} : { columns: table.columnDefinitions }),
        remaining: table.metadata?.remainingItemCount,
        isComplete: this.#shown.isComplete || next === undefined,
        ...(next === undefined ? { stale: undefined } : {}),
      });
    }
    this.#now();
  }

  #put(rows: Row[]): void {
    for (const row of rows) {
      this.#rows.set(row.id, row);
    }
  }

  #take({ type, object }: WatchEvent<Table>): void {
    this.#version = versionOf(object) ?? this.#version;
    if (type === "DELETED") {
      for (const { id } of rowsOf(object)) {
        this.#rows.delete(id);
      }
    } else if (type !== "BOOKMARK") {
      this.#put(rowsOf(object));
    }
  }

  #change(change: Partial<List>): void {
    const isFirst = !this.#shown.isComplete && this.#shown.rows.length === 0;
    this.#shown = { ...this.#shown, ...change, rows: this.#shown.rows };
    if (isFirst) {
      this.#now();
    } else {
      this.#timer ??= setTimeout(() => this.#now(), this.#rows.size > long ? rarely : often);
    }
  }

  #now(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const isWhole = this.#version !== undefined || !this.#shown.isComplete;
    this.#shown = { ...this.#shown, rows: isWhole ? [...this.#rows.values()] : this.#shown.rows };
    if (!this.#signal.aborted) {
      this.#draw(this.#shown);
    }
  }

  /** Whether it is refused for good. */
  #fail(problem: Problem): boolean {
    const since = this.#shown.stale?.since ?? Date.now();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#shown = { ...this.#shown, stale: { problem, since } };
    this.#draw(this.#shown);
    return lasting.has(problem.code);
  }
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  signal.addEventListener("abort", () => resolve());
  await promise;
  clearTimeout(timer);
}
