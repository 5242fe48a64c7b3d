import { formatNumber, frameTags } from '../../../../../shared/core/streams/agent-frames.ts';
import type { FrameTag } from '../../../../../shared/core/streams/agent-frames.ts';
import { mostPortData, portWindow } from '../../../../../shared/core/streams/port-frames.ts';
import { ByteQueue } from '../streams/byte-queue.ts';
import type { PortStream } from '../streams/port-connection.ts';
import { Credit } from './credit.ts';

export interface ConnectionOptions {
  readonly stream: PortStream;
  /** Sends a frame of this connection; resolves when the socket has taken it. */
  readonly say: (tag: FrameTag, payload?: Uint8Array) => Promise<void>;
  /** So many bytes more, or fewer, are held for the client. */
  readonly hold: (bytes: number) => void;
}

/** One connection of a client to a port of a group, by frames: each side sends no more than it was given credit for. */
export class PortConnection {
  readonly #options: ConnectionOptions;
  readonly #queue = new ByteQueue(portWindow);
  readonly #ended = Promise.withResolvers<void>();
  readonly #credit = new Credit(portWindow);
  /** What came and is still held for the client: the agent has no credit for it. */
  #held = 0;
  #fault: string | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** Until the agent has ended it, or the client wants it no more; answers why it failed. Never rejects. */
  async run(): Promise<string | undefined> {
    const { stream, say } = this.#options;
    const abandon = (): void => {
      void say(frameTags.exit);
      this.#queue.drop();
      this.end('');
    };
    stream.abandoned.addEventListener('abort', abandon, { once: true });
    if (stream.abandoned.aborted) abandon();
    const received = this.#toClient();
    void this.#toPort();
    await this.#ended.promise;
    // What came before the end is still the client's.
    await received;
    this.#release(this.#held);
    stream.abandoned.removeEventListener('abort', abandon);
    return stream.abandoned.aborted ? undefined : this.#fault;
  }

  /** False: the agent sends more than it may. */
  receive(bytes: Uint8Array): boolean {
    if (this.#credit.isClosed) return true;
    if (this.#held + bytes.length > portWindow) return false;
    this.#held += bytes.length;
    this.#options.hold(bytes.length);
    this.#queue.push(bytes);
    return true;
  }

  receiveEnd(): void {
    this.#queue.end();
  }

  grant(bytes: number): void {
    this.#credit.grant(bytes);
  }

  /** It is gone; `why` is empty where it just ended. Safe to repeat. */
  end(why: string): void {
    if (this.#credit.isClosed) return;
    this.#fault = why === '' ? undefined : why;
    this.#queue.end();
    this.#credit.close();
    this.#ended.resolve();
  }

  async #toClient(): Promise<void> {
    const { stream, say } = this.#options;
    for (let bytes = await this.#queue.read(); bytes !== undefined; bytes = await this.#queue.read()) {
      await stream.write(bytes);
      this.#release(bytes.length);
      if (!this.#credit.isClosed) await say(frameTags.credit, formatNumber(bytes.length));
    }
    await stream.end();
  }

  #release(bytes: number): void {
    this.#held -= bytes;
    this.#options.hold(-bytes);
  }

  async #toPort(): Promise<void> {
    const { stream, say } = this.#options;
    for (let bytes = await stream.read(); bytes !== undefined; bytes = await stream.read())
      if (!(await this.#credit.spend(bytes, mostPortData, (piece) => say(frameTags.data, piece)))) return;
    if (!this.#credit.isClosed) await say(frameTags.end);
  }
}
