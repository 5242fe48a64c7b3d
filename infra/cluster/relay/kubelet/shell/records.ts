/** What a script at the far end reports beside what its command writes. */
export type FarRecord =
  /** It reads lines now. `isRaw`: the terminal passes bytes as they are, and shows nothing of what is typed. */
  | { readonly kind: 'ready'; readonly isRaw: boolean }
  /** It has read one more line. */
  | { readonly kind: 'line' }
  /** A line did not arrive as it was sent. */
  | { readonly kind: 'fault' }
  /** From here on all is the command's. */
  | { readonly kind: 'begin' }
  /** What follows was written to stderr. */
  | { readonly kind: 'errors' }
  /** What follows is output again; `isLine`: the errors end with a line feed, which was left out. */
  | { readonly kind: 'output'; readonly isLine: boolean }
  | { readonly kind: 'not-found' }
  | { readonly kind: 'no-such-file' }
  | { readonly kind: 'not-executable' }
  | { readonly kind: 'exit'; readonly code: number };

export type FarPiece =
  | { readonly kind: 'text'; readonly bytes: Buffer }
  | { readonly kind: 'record'; readonly record: FarRecord };

const separator = 0x1e;
const longestRecord = 12;

/** How a record begins, as `printf` has it: a control character, which is never among what a terminal echoes, and the session's own number. */
export const recordStart = (nonce: string): string => String.raw`\036${nonce}`;

/**
 * Parts what comes from the far end into what its script reports and all else, however it is cut. Records begin with a number that
 * nobody else knows. Holds back at most what may become one.
 */
export class RecordReader {
  readonly #start: Buffer;
  #held: Buffer = Buffer.alloc(0);

  constructor(nonce: string) {
    this.#start = Buffer.concat([Buffer.from([separator]), Buffer.from(nonce, 'latin1')]);
  }

  *read(chunk: Buffer): Generator<FarPiece> {
    let rest = Buffer.concat([this.#held, chunk]);
    this.#held = Buffer.alloc(0);
    while (rest.length > 0) {
      const at = rest.indexOf(separator);
      if (at !== 0) {
        const end = at < 0 ? rest.length : at;
        yield { kind: 'text', bytes: rest.subarray(0, end) };
        rest = rest.subarray(end);
        continue;
      }
      const found = this.#recordAt(rest);
      if (found === 'maybe') {
        this.#held = Buffer.from(rest);
        return;
      }
      yield found === undefined
        ? { kind: 'text', bytes: rest.subarray(0, 1) }
        : { kind: 'record', record: found.record };
      rest = rest.subarray(found?.length ?? 1);
    }
  }

  /** What was held back, at the end. */
  rest(): Buffer {
    return this.#held;
  }

  #recordAt(bytes: Buffer): { readonly record: FarRecord; readonly length: number } | 'maybe' | undefined {
    const begins = Math.min(bytes.length, this.#start.length);
    if (!bytes.subarray(0, begins).equals(this.#start.subarray(0, begins))) return undefined;
    const body = bytes.toString('latin1', this.#start.length, this.#start.length + longestRecord);
    const end = body.indexOf(';');
    if (end < 0) return body.length < longestRecord ? 'maybe' : undefined;
    const record = recordOf(body.slice(0, end));
    return record === undefined ? undefined : { record, length: this.#start.length + end + 1 };
  }
}

function recordOf(text: string): FarRecord | undefined {
  switch (text) {
    case 'rr':
    case 'rc':
      return { kind: 'ready', isRaw: text === 'rr' };
    case 'a':
      return { kind: 'line' };
    case 'f':
      return { kind: 'fault' };
    case 'b':
      return { kind: 'begin' };
    case 's':
      return { kind: 'errors' };
    case 'n':
    case 'o':
      return { kind: 'output', isLine: text === 'n' };
    case 'xn':
      return { kind: 'not-found' };
    case 'xs':
      return { kind: 'no-such-file' };
    case 'xp':
      return { kind: 'not-executable' };
    default:
      return /^e\d{1,3}$/.test(text) ? { kind: 'exit', code: Number(text.slice(1)) } : undefined;
  }
}
