// Keys by which the hub does once what it is asked twice, such as after an answer that was lost.

/** Keys of one form: the same as long as the same is sent, another when something else is. */
export class IdempotencyKeys {
  #sent: string | undefined;
  #key = "";

  of(body: unknown): string {
    const text = JSON.stringify(body);
    if (text !== this.#sent) {
      this.#sent = text;
      this.#key = crypto.randomUUID();
    }
    return this.#key;
  }
}
