import { ByteQueue } from '../../../infra/cluster/relay/kubelet/streams/byte-queue.ts';
import type { ByteTransport } from '../../../infra/cluster/relay/kubelet/streams/transport.ts';
import { FrameReader } from '../../../infra/cluster/relay/kubelet/spdy/frame-reader.ts';
import type { RawFrame } from '../../../infra/cluster/relay/kubelet/spdy/frame-reader.ts';

/** A connection without a network: what the client sends, and what came back. */
export class MemoryTransport implements ByteTransport {
  readonly #sent = new ByteQueue(Infinity);
  readonly written: Buffer[] = [];
  hasEnded = false;
  isDestroyed = false;
  /** Of what the server has not read yet: how much waits for it. */
  unread = 0;
  /** The server has dealt with all that was sent, and waits for more. */
  isAtRest = false;
  /** While set, nothing that is written leaves. */
  blocked: Promise<void> | undefined;

  send(...frames: readonly Uint8Array[]): void {
    for (const frame of frames) {
      this.isAtRest = false;
      this.unread += frame.length;
      this.#sent.push(frame);
    }
  }

  hangUp(): void {
    this.#sent.end();
  }

  readonly chunks: AsyncIterable<Uint8Array> = this.#chunks();

  async write(bytes: Uint8Array): Promise<void> {
    if (!this.hasEnded) this.written.push(Buffer.from(bytes));
    await this.blocked;
  }

  end(): void {
    this.hasEnded = true;
    this.#sent.end();
  }

  destroy(): void {
    this.isDestroyed = true;
    this.#sent.end();
  }

  /** What was written, as frames. */
  frames(): readonly RawFrame[] {
    return [...new FrameReader().read(Buffer.concat(this.written))];
  }

  /** In short: `rst 3 7`, `goaway 5 1`, `data 3 hello`, `fin 3`, `reply 3`, `ping 1`, `window 3 16`. */
  said(): readonly string[] {
    return this.frames().map(describeFrame);
  }

  async *#chunks(): AsyncGenerator<Uint8Array> {
    for (;;) {
      this.isAtRest = this.unread === 0;
      const bytes = await this.#sent.read();
      this.isAtRest = bytes === undefined;
      if (bytes === undefined) return;
      // In pieces, as a socket gives them.
      for (let at = 0; at < bytes.length; at += 16_384) {
        const piece = bytes.subarray(at, at + 16_384);
        this.unread -= piece.length;
        yield piece;
      }
    }
  }
}

const names: Readonly<Record<number, string>> = { 2: 'reply', 3: 'rst', 6: 'ping', 7: 'goaway', 9: 'window' };

function describeFrame(frame: RawFrame): string {
  if (frame.kind === 'broken') return `broken: ${frame.why}`;
  if (frame.kind === 'data')
    return frame.isLast ? `fin ${frame.streamId}` : `data ${frame.streamId} ${frame.bytes.toString('latin1')}`;
  const { type, payload } = frame;
  const numbers =
    type === 2
      ? [payload.readUInt32BE(0)]
      : Array.from({ length: payload.length / 4 }, (_, at) => payload.readUInt32BE(4 * at));
  return [names[type] ?? `type ${type}`, ...numbers].join(' ');
}

const longestSettlingMs = 300;

/** Lets all happen that follows from what was sent; where something holds it up, for a while. */
export async function settle(transport: MemoryTransport): Promise<void> {
  const giveUpAt = performance.now() + longestSettlingMs;
  let turnsAtRest = 0;
  while (turnsAtRest < 10 && performance.now() < giveUpAt) {
    const { promise, resolve } = Promise.withResolvers<void>();
    setImmediate(resolve);
    await promise;
    turnsAtRest = transport.isAtRest ? turnsAtRest + 1 : 0;
  }
}
