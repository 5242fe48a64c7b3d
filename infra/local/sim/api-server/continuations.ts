import type { JsonObject } from '../../../../shared/core/json.ts';

interface Rest {
  readonly items: readonly JsonObject[];
  readonly version: number;
  readonly since: number;
}

const lifeMs = 5 * 60_000;
const most = 64;

/** What is left of lists that were asked for page by page, each as it was at its first page. */
export class Continuations {
  readonly #rests = new Map<string, Rest>();
  #count = 0;

  /** The token of the rest. The oldest lists are forgotten, as by a compaction. */
  keep(items: readonly JsonObject[], version: number, now: number): string {
    this.#count += 1;
    const token = Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: version, n: this.#count })).toString(
      'base64url',
    );
    this.#rests.set(token, { items, version, since: now });
    const [oldest] = this.#rests.keys();
    if (this.#rests.size > most && oldest !== undefined) this.#rests.delete(oldest);
    return token;
  }

  /** Undefined when it is too old, or no token of this server. A page may be asked for again. */
  find(token: string, now: number): Pick<Rest, 'items' | 'version'> | undefined {
    const rest = this.#rests.get(token);
    return rest === undefined || now - rest.since > lifeMs ? undefined : rest;
  }

  /** Whether it is a token at all, of whatever age and server. */
  isToken(text: string): boolean {
    return Buffer.from(text, 'base64url').toString('utf8').startsWith('{"v":"meta.k8s.io/v1"');
  }

  /** Makes every token too old. */
  clear(): void {
    this.#rests.clear();
  }
}
