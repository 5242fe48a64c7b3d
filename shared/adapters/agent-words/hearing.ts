import { fail, ok } from '../../core/fault.ts';
import type { Result } from '../../core/fault.ts';

/** More than any agent says: its record has 4096 bytes of a program's last words, three times at most. */
export const mostBytes = 65_536;

/** What a terminal has shown so far, line by line. */
export class Hearing<T> {
  readonly #parse: (line: string) => T | undefined;
  readonly #typed: string | undefined;
  readonly #chunks: Buffer[] = [];
  #size = 0;

  /** `parse`: a line as the answer, or undefined. `typed`: what the terminal echoes, which is nobody's word. */
  constructor(parse: (line: string) => T | undefined, typed: string | undefined) {
    this.#parse = parse;
    this.#typed = typed;
  }

  /** What this settles; undefined: nothing yet. */
  take(bytes: Buffer): Result<T> | undefined {
    this.#size += bytes.length;
    if (this.#size > mostBytes) return silent('more than an agent says');
    this.#chunks.push(bytes);
    // The last line has no end yet.
    return bytes.includes('\n') ? this.#answer(this.#lines().slice(0, -1)) : undefined;
  }

  /** What it comes to when the session has ended. */
  end(): Result<T> {
    const lines = this.#lines();
    const words = lines.filter((line) => line !== '' && line !== this.#typed).join(' ');
    const isCut = words === '' || words.startsWith('{"ok":true');
    return this.#answer(lines) ?? (isCut ? fail(withoutWord) : nobody(words));
  }

  #lines(): readonly string[] {
    const shown = Buffer.concat(this.#chunks).toString();
    return shown.split('\n').map((line) => line.replaceAll('\r', '').trim());
  }

  #answer(lines: readonly string[]): Result<T> | undefined {
    for (const line of lines) {
      const answer = this.#parse(line);
      if (answer !== undefined) return ok(answer);
    }
    return undefined;
  }
}

const withoutWord = {
  kind: 'transient',
  message: "the container's session ended without a word of its agent",
} as const;

/** How runtimes and shells say that a program is not there. */
const isMissing = /not found|no such file or directory/iu;

const nobody = (words: string): Result<never> =>
  isMissing.test(words) ? fail({ kind: 'rejected', code: 'AgentMissing', message: shortened(words) }) : silent(words);

const mostWords = 256;

/** Whatever a container shows may end up in an event. */
const shortened = (words: string): string => words.replaceAll(/[\p{Cc}\p{Cf}]/gu, ' ').slice(0, mostWords);

/** Somebody spoke who is no agent. */
export const silent = (words: string): Result<never> =>
  fail({ kind: 'rejected', code: 'AgentSilent', message: `no agent answered, but: ${shortened(words)}` });
