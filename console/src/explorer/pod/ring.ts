// Lines of a log: the newest so many, as plain text.

export interface LogLine {
  /** Counts up for ever. */
  id: number;
  container: string;
  /** As the cluster stamped it; empty if it did not. */
  time: string;
  text: string;
}

const most = 10_000;
/** Of one line so much is kept. */
const longest = 8000;

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is to be taken out
const escapes = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is to be taken out
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

const stamp = /^(\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)) ?/;

/** Without colours and whatever else would steer a terminal or turn the direction of text. */
export function plain(text: string): string {
  const cut = text.length > longest ? `${text.slice(0, longest)}…` : text;
  return cut.replace(escapes, "").replace(controls, "");
}

export class LogRing {
  #lines: LogLine[] = [];
  #next = 0;

  /** Lines as the cluster sends them, each with its time. */
  push(container: string, lines: readonly string[]): void {
    for (const line of lines) {
      const time = stamp.exec(line)?.[1] ?? "";
      const text = plain(line.replace(stamp, ""));
      this.#lines.push({ id: this.#next, container, time, text });
      this.#next += 1;
    }
    // Not at every line: moving so many each time would be slow.
    if (this.#lines.length > most * 1.1) {
      this.#lines = this.#lines.slice(-most);
    }
  }

  /** The newest, the last one last. */
  get lines(): readonly LogLine[] {
    return this.#lines.slice(-most);
  }

  /** How many there were that are not kept any more. */
  get dropped(): number {
    return Math.max(this.#next - most, 0);
  }
}
