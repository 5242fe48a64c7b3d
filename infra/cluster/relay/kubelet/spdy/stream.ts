import { ByteQueue } from '../streams/byte-queue.ts';
import { dataFrame, rstStatus, rstStreamFrame } from './frames.ts';
import { spdyLimits } from './limits.ts';
import { ReceiveWindow, SendWindow } from './send-window.ts';

/** What a stream needs of its connection. */
export interface StreamLink {
  /** In the order of the calls; resolves when there is room for more, or the connection is over. */
  send(frame: Buffer): Promise<void>;
  /** How much of `wanted` may be sent now, once anything may; 0: the stream or its connection is over. */
  room(stream: SpdyStream, wanted: number): Promise<number>;
  /** Something of the stream was read, and makes room. */
  taken(stream: SpdyStream, bytes: number): void;
  /** Both sides are through with it. */
  closed(stream: SpdyStream): void;
}

/** One stream that the client has opened. */
export class SpdyStream {
  readonly id: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly sendWindow: SendWindow;
  readonly received = new ReceiveWindow();
  readonly #link: StreamLink;
  readonly #queue = new ByteQueue(spdyLimits.unreadBytes);
  #hasClientEnded = false;
  #canWrite = true;
  readonly #abandoned = new AbortController();

  constructor(id: number, headers: ReadonlyMap<string, string>, link: StreamLink, windowSize: number) {
    this.id = id;
    this.headers = headers;
    this.#link = link;
    this.sendWindow = new SendWindow(windowSize);
  }

  /** Aborts when nobody wants either direction any more, or the connection is over. */
  get abandoned(): AbortSignal {
    return this.#abandoned.signal;
  }

  get canWrite(): boolean {
    return this.#canWrite;
  }

  /** What the client has sent, as soon as there is something; undefined: nothing follows. One reader at a time. */
  async read(): Promise<Buffer | undefined> {
    const bytes = await this.#queue.read();
    if (bytes !== undefined) this.#link.taken(this, bytes.length);
    return bytes;
  }

  /** Resolves when the client takes more. What can no longer be sent is dropped. One writer at a time. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length && this.#canWrite;) {
      const size = await this.#link.room(this, Math.min(spdyLimits.dataBytes, bytes.length - at));
      if (size === 0) return;
      this.sendWindow.sent(size);
      await this.#link.send(dataFrame(this.id, bytes.subarray(at, at + size), false));
      at += size;
    }
  }

  /** Says that nothing follows from this side. */
  async end(): Promise<void> {
    if (!this.#canWrite) return;
    this.#canWrite = false;
    const sent = this.#link.send(dataFrame(this.id, Buffer.alloc(0), true));
    this.#closeIfDone();
    await sent;
  }

  /** Ends both directions at once, with what was not read. */
  reset(status: number = rstStatus.cancel): void {
    void this.#link.send(rstStreamFrame(this.id, status));
    this.abandon();
  }

  /** The client sends something, or (`isLast`) nothing any more. */
  take(bytes: Buffer, isLast: boolean): void {
    this.#queue.push(bytes);
    if (!isLast) return;
    this.#hasClientEnded = true;
    this.#queue.end();
    this.#closeIfDone();
  }

  whenRoom(): Promise<void> {
    return this.#queue.whenRoom();
  }

  /** The client wants nothing on it. */
  closeForWriting(): void {
    this.#canWrite = false;
    this.#closeIfDone();
  }

  /** Nobody will read or write it: the client has reset it, or this side has. */
  abandon(): void {
    this.#canWrite = false;
    this.#hasClientEnded = true;
    this.#queue.drop();
    this.#abandoned.abort();
    this.#closeIfDone();
  }

  /** The connection is over: what has come can still be read. */
  cut(): void {
    this.#canWrite = false;
    this.#queue.end();
    this.#abandoned.abort();
  }

  #closeIfDone(): void {
    if (this.#hasClientEnded && !this.#canWrite) this.#link.closed(this);
  }
}
