import { AsyncLocalStorage } from 'node:async_hooks';
import type { Decision } from '../core/reconcile/observed.ts';
import type { Span } from '../ports/telemetry.ts';

/** One reconcile of one pod, as telemetry sees it. */
interface Work {
  readonly span: Span;
  /** Which rules decided, and what they had done. */
  readonly reasons: Set<string>;
  readonly effects: Set<string>;
}

const current = new AsyncLocalStorage<Work>();

/** The work that is being done: what is built once per process (adapters, the log) asks here whose call it makes. */
export const currentWork = (): Work | undefined => current.getStore();

export const withWork = <T>(work: Work, run: () => Promise<T>): Promise<T> => current.run(work, run);

export function noteDecision({ reason, effects }: Decision): void {
  const work = current.getStore();
  work?.reasons.add(reason);
  for (const { kind } of effects) work?.effects.add(kind);
}
