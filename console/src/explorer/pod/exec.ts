// A shell in a container, by WebSocket: the channels of `v5.channel.k8s.io`.

import { Problem } from "../../api/problem";
import { isStatus, told } from "../../api/status";
import { address } from "../../kubernetes/request";

export const protocol = "v5.channel.k8s.io";

/** Each message begins with the number of its channel. */
const channels = { input: 0, output: 1, errors: 2, end: 3, resize: 4 } as const;

/** The better shell, if there is one. */
const shell = ["sh", "-c", "command -v bash >/dev/null 2>&1 && exec bash || exec sh"];

/** `path` is the pod's. */
export function execUrl(cluster: string, path: string, container: string): string {
  const query = new URLSearchParams({ container, stdin: "true", stdout: "true", tty: "true" });
  for (const word of shell) {
    query.append("command", word);
  }
  const url = new URL(address(cluster, `${path}/exec?${query}`), globalThis.location.origin);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

function framed(channel: number, content: Uint8Array): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(content.length + 1);
  message[0] = channel;
  message.set(content, 1);
  return message;
}

export interface ShellEvents {
  onOpen: () => void;
  onOutput: (bytes: Uint8Array) => void;
  /** `problem` says why, if it did not end by itself. */
  onEnd: (problem: Problem | undefined) => void;
}

const refused = {
  status: 0,
  code: "denied",
  title: "The shell did not begin",
  detail:
    "The pod has to run, and you need the right to create pods/exec in its namespace. Your browser does not say which of them it was.",
} as const;

const lost = {
  status: 0,
  code: "away",
  title: "The connection was lost",
  detail:
    "The hub, the cluster or your network ended it, or your right to it ended. What ran in it may run on.",
} as const;

export class Shell {
  readonly #socket: WebSocket;
  readonly #encoder = new TextEncoder();

  constructor(url: string, { onOpen, onOutput, onEnd }: ShellEvents) {
    this.#socket = new WebSocket(url, protocol);
    this.#socket.binaryType = "arraybuffer";
    let isOpen = false;
    let end: { problem: Problem | undefined } | undefined;
    this.#socket.addEventListener("open", () => {
      isOpen = true;
      onOpen();
    });
    this.#socket.addEventListener("message", ({ data }: MessageEvent<ArrayBuffer>) => {
      const message = new Uint8Array(data);
      const content = message.subarray(1);
      if (message[0] === channels.output || message[0] === channels.errors) {
        onOutput(content);
      } else if (message[0] === channels.end) {
        end = { problem: endOf(new TextDecoder().decode(content)) };
      }
    });
    this.#socket.addEventListener("close", () => {
      const problem = end === undefined ? new Problem(isOpen ? lost : refused) : end.problem;
      onEnd(problem);
    });
  }

  send(text: string): void {
    this.#send(channels.input, this.#encoder.encode(text));
  }

  resize(columns: number, rows: number): void {
    const size = JSON.stringify({ Width: columns, Height: rows });
    this.#send(channels.resize, this.#encoder.encode(size));
  }

  #send(channel: number, content: Uint8Array): void {
    if (this.#socket.readyState === WebSocket.OPEN) {
      this.#socket.send(framed(channel, content));
    }
  }

  close(): void {
    this.#socket.close();
  }
}

/** What the cluster says at the end; a shell that ends with another code than 0 is no failure of the console's. */
function endOf(text: string): Problem | undefined {
  let status: unknown;
  try {
    status = JSON.parse(text);
  } catch {
    status = undefined;
  }
  const isWell =
    !isStatus(status) || status.status === "Success" || (status.reason as string) === "NonZeroExitCode";
  return isWell ? undefined : new Problem(told(status as Parameters<typeof told>[0]));
}
