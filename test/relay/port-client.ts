/** Streams of port-forwards over SPDY: headers by a compressor of its own, since each has another request. */
import { constants, createDeflate } from 'node:zlib';
import type { Deflate } from 'node:zlib';
import { spdyDictionary } from '../../infra/cluster/relay/kubelet/spdy/dictionary.ts';
import type { SpdyClient } from './spdy-client.ts';

export class PortClient {
  readonly spdy: SpdyClient;
  readonly #deflate: Deflate = createDeflate({ dictionary: spdyDictionary, flush: constants.Z_SYNC_FLUSH });
  readonly #chunks: Buffer[] = [];
  #nextId = 1;
  #requests = 0;

  constructor(spdy: SpdyClient) {
    this.spdy = spdy;
    this.#deflate.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
  }

  /** Opens both streams of one connection, as kubectl does: `error` first. */
  async connect(port: number | string): Promise<{ readonly error: number; readonly data: number }> {
    const requestID = String(this.#requests);
    this.#requests += 1;
    const error = await this.open({ streamtype: 'error', port: String(port), requestid: requestID });
    const data = await this.open({ streamtype: 'data', port: String(port), requestid: requestID });
    return { error, data };
  }

  async open(headers: Readonly<Record<string, string>>): Promise<number> {
    const id = this.#nextId;
    this.#nextId += 2;
    const block = await this.#compressed(headers);
    const head = Buffer.alloc(18);
    head.writeUInt32BE(0x80_03_00_01, 0);
    head.writeUInt32BE(block.length + 10, 4);
    head.writeUInt32BE(id, 8);
    this.spdy.send(head, block);
    return id;
  }

  async #compressed(headers: Readonly<Record<string, string>>): Promise<Buffer> {
    const number = (value: number): Buffer => Buffer.from([value >>> 24, value >>> 16, value >>> 8, value]);
    const texts = Object.entries(headers).flat();
    const plain = [number(texts.length / 2), ...texts.flatMap((text) => [number(text.length), Buffer.from(text)])];
    await new Promise<void>((resolve) => {
      this.#deflate.write(Buffer.concat(plain), () => resolve());
    });
    return Buffer.concat(this.#chunks.splice(0));
  }
}
