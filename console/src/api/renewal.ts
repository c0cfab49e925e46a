// What to do when the session ends while a page is open: requests wait until the user has signed in again.

type Listener = () => void;

/** How many new sessions there have been. */
let count = 0;
let waiting: { promise: Promise<boolean>; settle: (isRenewed: boolean) => void } | undefined;
const listeners = new Set<Listener>();

function tell(): void {
  for (const listener of listeners) {
    listener();
  }
}

export const renewal = {
  /** Of a request that is sent: how many new sessions there have been before it. */
  count(): number {
    return count;
  },

  /**
   * Asks for a new session; false if the user does not want one. All who ask meanwhile wait for the same one. Whoever
   * was sent before the last one needs no other.
   */
  async ask(sentAt: number): Promise<boolean> {
    if (sentAt !== count) {
      return true;
    }
    if (waiting === undefined) {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      waiting = { promise, settle: resolve };
      tell();
    }
    return waiting.promise;
  },

  settle(isRenewed: boolean): void {
    const { settle } = waiting ?? {};
    count += isRenewed ? 1 : 0;
    waiting = undefined;
    settle?.(isRenewed);
    tell();
  },

  isAsked(): boolean {
    return waiting !== undefined;
  },

  subscribe(listener: Listener): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};
