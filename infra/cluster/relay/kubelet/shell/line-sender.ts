import { formatLine, lastLine } from './script.ts';

/** Of one line: with its head it is one message of at most 512 bytes. */
export const mostLineText = 480;
/** So many are on their way at once: together less than a terminal holds for a program that does not read (4,096). */
const mostUnread = 8;

/**
 * Sends lines that the far end reports as read, no faster than it reads: a terminal drops what it can't hold, and says so
 * to nobody.
 */
export class LineSender {
  readonly #send: (bytes: Uint8Array) => Promise<void>;
  #number = 0;
  #unread = 0;
  #isStopped = false;
  #wake: (() => void) | undefined;

  constructor(send: (bytes: Uint8Array) => Promise<void>) {
    this.#send = send;
  }

  /** Resolves when it is on its way. One sender at a time. */
  async send(text: string): Promise<void> {
    while (this.#unread >= mostUnread && !this.#isStopped) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
    if (this.#isStopped) return;
    this.#unread += 1;
    this.#number += 1;
    await this.#send(Buffer.from(formatLine(this.#number - 1, text)));
  }

  /** Says that no line follows; the next one begins anew. */
  async end(): Promise<void> {
    this.#number = 0;
    if (!this.#isStopped) await this.#send(Buffer.from(lastLine));
  }

  /** The far end has read one more. */
  acknowledge(): void {
    this.#unread = Math.max(0, this.#unread - 1);
    this.#wake?.();
  }

  /** Nobody reads any more: what is still to be sent is not. */
  stop(): void {
    this.#isStopped = true;
    this.#wake?.();
  }
}
