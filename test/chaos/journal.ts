import { createHash } from 'node:crypto';
import type { Result } from '../../shared/core/fault.ts';
import type { Call, Plan } from '../../infra/local/sim/faults/request-plan.ts';

const flushAt = 65_536;

/** All that happened, as one hash (two runs of a seed must have the same) and, where asked for, as lines by key. */
export class Journal {
  readonly #hash = createHash('sha256');
  #pending = '';
  readonly #lines = new Map<string, string[]>();
  readonly #now: () => number;
  readonly #start: number;
  readonly #keeps: (key: string) => boolean;

  constructor(now: () => number, keeps: (key: string) => boolean) {
    this.#now = now;
    this.#start = now();
    this.#keeps = keeps;
  }

  call(process: string, { port, method, key }: Call, plan: Plan, result: Result<unknown>): void {
    const said = result.ok ? 'ok' : result.fault.kind;
    const line = `${process} ${port}.${method} ${key}${plan.kind === undefined ? '' : ` [${plan.kind}]`} → ${said}`;
    this.note(key, line);
  }

  /** Something that is no call: what users, controllers and ARM do. */
  note(key: string, line: string): void {
    const at = `${((this.#now() - this.#start) / 1000).toFixed(3)} s ${line}`;
    this.#pending += at;
    if (this.#pending.length > flushAt) this.#flush();
    if (!this.#keeps(key)) return;
    const lines = this.#lines.get(key) ?? [];
    lines.push(at);
    this.#lines.set(key, lines);
  }

  digest(): string {
    this.#flush();
    return this.#hash.copy().digest('hex');
  }

  #flush(): void {
    this.#hash.update(this.#pending);
    this.#pending = '';
  }

  linesOf(key: string): readonly string[] {
    return this.#lines.get(key) ?? [];
  }
}
