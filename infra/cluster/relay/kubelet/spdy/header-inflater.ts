import { constants, createInflate } from 'node:zlib';
import type { Inflate } from 'node:zlib';
import { spdyDictionary } from './dictionary.ts';
import { spdyLimits } from './limits.ts';

/** The client's headers are one compressed stream over all of its frames: blocks are read in their order, one at a time. */
export class HeaderInflater {
  readonly #inflate: Inflate;
  #chunks: Buffer[] = [];
  #size = 0;
  #isBroken = false;

  constructor() {
    this.#inflate = createInflate({ dictionary: spdyDictionary, flush: constants.Z_SYNC_FLUSH, chunkSize: 4096 });
    this.#inflate.on('data', (chunk: Buffer) => this.#take(chunk));
    this.#inflate.on('error', () => (this.#isBroken = true));
  }

  /** The block inflated; undefined when it can't be, or is longer than the limit: then the stream is lost for good. */
  async read(block: Uint8Array): Promise<Buffer | undefined> {
    if (this.#isBroken) return undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = (): void => resolve();
    this.#inflate.once('close', end);
    this.#inflate.write(block, end);
    await promise;
    this.#inflate.off('close', end);
    const inflated = Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.#size = 0;
    return this.#isBroken ? undefined : inflated;
  }

  close(): void {
    this.#isBroken = true;
    this.#inflate.destroy();
  }

  #take(chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#size > spdyLimits.headerBytes) {
      this.#chunks = [];
      this.close();
    } else this.#chunks.push(chunk);
  }
}
