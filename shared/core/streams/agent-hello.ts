/** What the agent says before all else; what came before it is the terminal's echo. */
const mark = 'SK1 ';
/** More than an echo of nothing and a notice of the platform; who says so much without a hello is no agent. */
const mostBefore = 16_384;
const mostLine = 1024;

export type ReadHello =
  | { readonly kind: 'waiting' }
  /** `json` is the rest of its line, `rest` what came behind it. */
  | { readonly kind: 'hello'; readonly json: string; readonly rest: Uint8Array }
  | { readonly kind: 'none' };

/** Looks for the agent's hello in a stream that may be cut anywhere. Holds some kilobytes at most. */
export class HelloReader {
  /** Each byte is one character. */
  #text = '';

  /** All that came so far: what something else than an agent has to say. */
  get words(): string {
    return this.#text;
  }

  read(bytes: Uint8Array): ReadHello {
    // No more than can matter: what is behind the line comes back as it came.
    const before = this.#text.length;
    for (let at = 0; at < bytes.length; at += 8192)
      this.#text += String.fromCharCode(...bytes.subarray(at, Math.min(at + 8192, bytes.length)));
    const start = this.#text.indexOf(mark);
    if (start < 0) return this.#text.length > mostBefore ? this.#none() : { kind: 'waiting' };
    const end = this.#text.indexOf('\n', start);
    if (start > mostBefore || (end < 0 ? this.#text.length : end) - start > mostLine) return this.#none();
    if (end < 0) return { kind: 'waiting' };
    const json = this.#text.slice(start + mark.length, end);
    return { kind: 'hello', json, rest: bytes.subarray(end + 1 - before) };
  }

  #none(): ReadHello {
    this.#text = this.#text.slice(0, mostBefore);
    return { kind: 'none' };
  }
}
