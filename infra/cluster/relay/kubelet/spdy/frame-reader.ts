import { spdyLimits } from './limits.ts';

/** What comes out of the bytes of a connection. */
export type RawFrame =
  /** A piece of a data frame; `isLast` with the last piece of a stream's last frame. Its length is at most that of the chunk. */
  | { readonly kind: 'data'; readonly streamId: number; readonly bytes: Buffer; readonly isLast: boolean }
  | {
      readonly kind: 'control';
      readonly version: number;
      readonly type: number;
      readonly flags: number;
      readonly payload: Buffer;
    }
  /** What follows can't be read. */
  | { readonly kind: 'broken'; readonly why: string };

const headBytes = 8;

type Reading =
  | { readonly kind: 'head' }
  | { readonly kind: 'data'; readonly streamId: number; readonly left: number; readonly isLast: boolean }
  | {
      readonly kind: 'control';
      readonly version: number;
      readonly type: number;
      readonly flags: number;
      readonly length: number;
    };

/**
 * Cuts a stream of bytes into frames, however it is cut into chunks. Holds at most one control frame; data goes through as
 * it comes. After `broken` nothing more comes out.
 */
export class FrameReader {
  #held: Buffer = Buffer.alloc(0);
  #reading: Reading = { kind: 'head' };
  #isBroken = false;

  *read(chunk: Uint8Array): Generator<RawFrame> {
    let rest: Buffer = Buffer.concat([this.#held, chunk]);
    this.#held = Buffer.alloc(0);
    while (!this.#isBroken) {
      const step = this.#next(rest);
      if (step === undefined) break;
      rest = step.rest;
      if (step.frame !== undefined) yield step.frame;
    }
    if (!this.#isBroken) this.#held = Buffer.from(rest);
  }

  /** Undefined: more bytes are needed. */
  #next(bytes: Buffer): { readonly frame?: RawFrame; readonly rest: Buffer } | undefined {
    const reading = this.#reading;
    switch (reading.kind) {
      case 'head':
        return bytes.length < headBytes ? undefined : this.#head(bytes);
      case 'data':
        return this.#data(reading, bytes);
      case 'control': {
        if (bytes.length < reading.length) return undefined;
        this.#reading = { kind: 'head' };
        const { version, type, flags, length } = reading;
        // A copy: a slice would keep the whole chunk alive with it.
        const payload = Buffer.from(bytes.subarray(0, length));
        return { frame: { kind: 'control', version, type, flags, payload }, rest: bytes.subarray(length) };
      }
    }
  }

  #head(bytes: Buffer): { readonly frame?: RawFrame; readonly rest: Buffer } {
    const first = bytes.readUInt32BE(0);
    const flags = bytes.readUInt8(4);
    const length = bytes.readUIntBE(5, 3);
    const rest = bytes.subarray(headBytes);
    if (first >>> 31 === 0) {
      if (first === 0) return this.#broken('a data frame of stream 0', rest);
      const isLast = (flags & 1) === 1;
      this.#reading = { kind: 'data', streamId: first, left: length, isLast };
      return { rest };
    }
    if (length > spdyLimits.controlBytes)
      return this.#broken(`a control frame of ${length} bytes; ${spdyLimits.controlBytes} are the most`, rest);
    this.#reading = { kind: 'control', version: (first >>> 16) & 0x7f_ff, type: first & 0xff_ff, flags, length };
    return { rest };
  }

  #data(
    { streamId, left, isLast }: Extract<Reading, { kind: 'data' }>,
    bytes: Buffer,
  ): { readonly frame: RawFrame; readonly rest: Buffer } | undefined {
    if (bytes.length === 0 && left > 0) return undefined;
    const size = Math.min(left, bytes.length);
    const isWhole = size === left;
    this.#reading = isWhole ? { kind: 'head' } : { kind: 'data', streamId, left: left - size, isLast };
    const piece = Buffer.from(bytes.subarray(0, size));
    return { frame: { kind: 'data', streamId, bytes: piece, isLast: isLast && isWhole }, rest: bytes.subarray(size) };
  }

  #broken(why: string, rest: Buffer): { readonly frame: RawFrame; readonly rest: Buffer } {
    this.#isBroken = true;
    return { frame: { kind: 'broken', why }, rest };
  }
}
