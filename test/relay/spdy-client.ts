/** A small client of SPDY/3.1 for remote commands: frames by hand, after the protocol's own description and recorded bytes. */
import type { Duplex } from 'node:stream';
import { recorded } from './spdy/recorded.ts';

interface StreamState {
  readonly chunks: Buffer[];
  isReplied: boolean;
  hasEnded: boolean;
  isReset: boolean;
}

/** Connects streams in the order in which Kubernetes' client recorded them: `error` 1, `stdin` 3, `stdout` 5. */
export class SpdyClient {
  readonly #socket: Duplex;
  readonly #streams = new Map<number, StreamState>();
  #held = Buffer.alloc(0);
  hasGoneAway = false;
  isClosed = false;
  pongs = 0;

  constructor(socket: Duplex, head: Buffer) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => (this.isClosed = true));
    if (head.length > 0) this.#read(head);
  }

  send(...frames: readonly Uint8Array[]): void {
    for (const frame of frames) this.#socket.write(frame);
  }

  /** Opens `error`, `stdin`, `stdout`, as far as asked for. */
  open(...names: readonly ('error' | 'stdin' | 'stdout')[]): void {
    const frames = { error: recorded.synError, stdin: recorded.synStdin, stdout: recorded.synStdout };
    for (const name of names) this.send(frames[name]);
  }

  data(streamId: number, bytes: string | Buffer, isLast = false): void {
    const payload = Buffer.from(bytes);
    const head = Buffer.alloc(8);
    head.writeUInt32BE(streamId, 0);
    head.writeUInt32BE(((isLast ? 1 : 0) << 24) | payload.length, 4);
    this.send(head, payload);
  }

  stream(streamId: number): StreamState {
    const known = this.#streams.get(streamId);
    if (known !== undefined) return known;
    const state: StreamState = { chunks: [], isReplied: false, hasEnded: false, isReset: false };
    this.#streams.set(streamId, state);
    return state;
  }

  text(streamId: number): string {
    return Buffer.concat(this.stream(streamId).chunks).toString('latin1');
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.#held = Buffer.concat([this.#held, chunk]);
    while (this.#held.length >= 8) {
      const length = this.#held.readUIntBE(5, 3);
      if (this.#held.length < 8 + length) return;
      this.#frame(this.#held.subarray(0, 8), this.#held.subarray(8, 8 + length));
      this.#held = this.#held.subarray(8 + length);
    }
  }

  #frame(head: Buffer, payload: Buffer): void {
    if (head.readUInt8(0) < 0x80) {
      const stream = this.stream(head.readUInt32BE(0));
      stream.chunks.push(Buffer.from(payload));
      if (head.readUInt8(4) === 1) stream.hasEnded = true;
      return;
    }
    switch (head.readUInt16BE(2)) {
      case 2:
        this.stream(payload.readUInt32BE(0)).isReplied = true;
        return;
      case 3:
        this.stream(payload.readUInt32BE(0)).isReset = true;
        return;
      case 6:
        this.pongs += 1;
        return;
      case 7:
        this.hasGoneAway = true;
        this.#socket.end();
    }
  }
}
