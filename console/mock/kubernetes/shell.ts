// A shell that says back what it is told, in the channels of `v5.channel.k8s.io`.

const prompt = "/app $ ";

/** Messages of channels: the first byte is the number. */
function framed(channel: number, text: string): Uint8Array {
  return new Uint8Array([channel, ...new TextEncoder().encode(text)]);
}

export class EchoShell {
  readonly #send: (message: Uint8Array) => void;
  readonly #close: () => void;
  #typed = "";
  /** As the terminal said last. */
  size: { Width: number; Height: number } | undefined;

  constructor(send: (message: Uint8Array) => void, close: () => void) {
    this.#send = send;
    this.#close = close;
    send(framed(1, prompt));
  }

  take(message: Uint8Array): void {
    const text = new TextDecoder().decode(message.subarray(1));
    if (message[0] === 4) {
      this.size = JSON.parse(text);
    } else if (message[0] === 0) {
      for (const letter of text) {
        this.#type(letter);
      }
    }
  }

  #type(letter: string): void {
    if (letter !== "\r") {
      this.#typed += letter;
      this.#send(framed(1, letter));
      return;
    }
    if (this.#typed === "exit") {
      this.#send(framed(3, JSON.stringify({ kind: "Status", status: "Success" })));
      this.#close();
      return;
    }
    this.#send(framed(1, `\r\n${this.#typed}\r\n${prompt}`));
    this.#typed = "";
  }
}
