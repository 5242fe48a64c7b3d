/**
 * The frames that a caller and the agent of a container send each other over a session's terminal (infra/agent/README.md): a tag, the
 * length of the payload (2 bytes), a CRC-32 (4 bytes), the payload. The checksum counts the frames of its direction, so
 * that what was lost, doubled or changed on the way is never taken for data. Numbers are big-endian.
 */
import { crc32 } from './crc32.ts';

/** The most that one frame carries, in bytes. */
export const mostPayload = 32_768;

const headBytes = 7;

/** Tags by what they say; which side may say which is the session's business. */
export const frameTags = {
  begun: 'B',
  input: 'I',
  credit: 'C',
  end: 'E',
  window: 'W',
  signal: 'S',
  presence: 'P',
  output: 'O',
  errors: 'R',
  exit: 'X',
  fault: 'F',
  open: 'N',
  data: 'D',
} as const;

const tags: ReadonlySet<string> = new Set(Object.values(frameTags));
export type FrameTag = (typeof frameTags)[keyof typeof frameTags];

export interface Frame {
  readonly tag: FrameTag;
  /** Nobody else's: it may be kept. */
  readonly payload: Uint8Array;
}

const isTag = (text: string): text is FrameTag => tags.has(text);

function head(tag: FrameTag, length: number): Uint8Array {
  return Uint8Array.of(tag.charCodeAt(0), length >>> 8, length & 0xff);
}

const number32 = (value: number): Uint8Array =>
  Uint8Array.of(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);

/** Makes the frames of one direction, which it counts from 0. */
export class FrameWriter {
  #count = 0;

  /** One frame, to be sent in the order of the calls. A payload beyond `mostPayload` is the caller's bug. */
  frame(tag: FrameTag, payload: Uint8Array = new Uint8Array(0)): Uint8Array {
    if (payload.length > mostPayload) throw new RangeError(`a payload of ${payload.length} bytes`);
    const front = head(tag, payload.length);
    const sum = number32(crc32(number32(this.#count), front, payload));
    this.#count = (this.#count + 1) >>> 0;
    const bytes = new Uint8Array(headBytes + payload.length);
    bytes.set(front);
    bytes.set(sum, front.length);
    bytes.set(payload, headBytes);
    return bytes;
  }
}

/** What a piece of the stream held. */
export interface ReadFrames {
  readonly frames: readonly Frame[];
  /** Behind those frames came something that is none, or not the next one; nothing can be read any more. */
  readonly isBroken: boolean;
}

/** Reads the frames of one direction from a stream that may be cut anywhere. Never holds more than one frame that is not whole. */
export class FrameReader {
  #rest: Uint8Array = new Uint8Array(0);
  #count = 0;
  #isBroken = false;

  /** Whether the stream may end here: no frame has begun. */
  get isAtBorder(): boolean {
    return this.#rest.length === 0 && !this.#isBroken;
  }

  read(bytes: Uint8Array): ReadFrames {
    const frames: Frame[] = [];
    const all = this.#rest.length === 0 ? bytes : joined(this.#rest, bytes);
    let at = 0;
    while (!this.#isBroken) {
      const length = this.#lengthAt(all, at);
      if (this.#isBroken || length === undefined || all.length - at < headBytes + length) break;
      const frame = this.#frameAt(all, at, length);
      if (frame === undefined) break;
      frames.push(frame);
      at += headBytes + length;
    }
    // What is left is held for longer than the piece that it came in.
    this.#rest = this.#isBroken ? new Uint8Array(0) : copyOf(all.subarray(at));
    return { frames, isBroken: this.#isBroken };
  }

  /** That of the payload, as soon as it is there. */
  #lengthAt(all: Uint8Array, at: number): number | undefined {
    const [tag, high, low] = all.subarray(at, at + 3);
    if (tag !== undefined && !isTag(String.fromCharCode(tag))) this.#isBroken = true;
    if (high === undefined || low === undefined) return undefined;
    const length = (high << 8) | low;
    if (length > mostPayload) this.#isBroken = true;
    return length;
  }

  #frameAt(all: Uint8Array, at: number, length: number): Frame | undefined {
    const front = all.subarray(at, at + 3);
    const payload = copyOf(all.subarray(at + headBytes, at + headBytes + length));
    const sum = crc32(number32(this.#count), front, payload);
    const said = numberAt(all, at + 3);
    const tag = String.fromCharCode(front[0] ?? 0);
    if (sum !== said || !isTag(tag)) {
      this.#isBroken = true;
      return undefined;
    }
    this.#count = (this.#count + 1) >>> 0;
    return { tag, payload };
  }
}

/** `slice` of a Buffer of Node's is none. */
const copyOf = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes);

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  const all = new Uint8Array(one.length + other.length);
  all.set(one);
  all.set(other, one.length);
  return all;
}

/** A number of 4 bytes; what is missing of it counts as 0. */
const numberAt = (bytes: Uint8Array, at: number): number =>
  [0, 1, 2, 3].reduce((sum, index) => sum * 256 + (bytes[at + index] ?? 0), 0);

/** The payload of credit, and the beginning of each of `/.sk/f`. */
export const formatNumber = (value: number): Uint8Array => number32(value);

/** Of exactly 4 bytes; undefined: it is none. */
export const parseNumber = (payload: Uint8Array): number | undefined =>
  payload.length === 4 ? numberAt(payload, 0) : undefined;

/** The payload of a window's size, each side at most 65,535. */
export const formatWindow = ({ rows, columns }: { readonly rows: number; readonly columns: number }): Uint8Array =>
  Uint8Array.of(rows >>> 8, rows & 0xff, columns >>> 8, columns & 0xff);
