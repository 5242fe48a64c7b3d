/** SPDY within a WebSocket whose subprotocol has a slash, which WebSocket libraries refuse to ask for: by hand. */
import { randomBytes } from 'node:crypto';
import { Duplex } from 'node:stream';

const headOf = (length: number): Buffer => {
  const head = Buffer.alloc(length < 126 ? 2 : 4);
  head.writeUInt8(0x82, 0);
  head.writeUInt8(0x80 | (length < 126 ? length : 126), 1);
  if (length >= 126) head.writeUInt16BE(length, 2);
  return head;
};

/** A binary message of a client: masked, as all of a client's are. */
function message(payload: Buffer): Buffer {
  const mask = randomBytes(4);
  const masked = payload.map((byte, at) => byte ^ (mask[at % 4] ?? 0));
  return Buffer.concat([headOf(payload.length), mask, masked]);
}

/** The bytes within the messages of an upgraded connection, as one stream. */
export class TunnelStream extends Duplex {
  readonly #socket: Duplex;
  #held = Buffer.alloc(0);

  constructor(socket: Duplex, head: Buffer) {
    super();
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('close', () => this.destroy());
    socket.on('error', () => undefined);
    this.#take(head);
  }

  override _read(): void {
    // What comes is pushed as it comes.
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    for (let at = 0; at < chunk.length; at += 60_000) this.#socket.write(message(chunk.subarray(at, at + 60_000)));
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  #take(chunk: Buffer): void {
    this.#held = Buffer.concat([this.#held, chunk]);
    for (;;) {
      const [first, second] = this.#held;
      if (first === undefined || second === undefined) return;
      const extra = second === 127 ? 8 : second === 126 ? 2 : 0;
      if (this.#held.length < 2 + extra) return;
      const length =
        extra === 8 ? Number(this.#held.readBigUInt64BE(2)) : extra === 2 ? this.#held.readUInt16BE(2) : second;
      const end = 2 + extra + length;
      if (this.#held.length < end) return;
      const isBinary = (first & 0x0f) === 2;
      if (isBinary) this.push(Buffer.from(this.#held.subarray(2 + extra, end)));
      this.#held = this.#held.subarray(end);
    }
  }
}
