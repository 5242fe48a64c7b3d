import type { Fault } from '../core/fault.ts';
import type { Next } from '../core/reconcile/observed.ts';
import type { PodRow } from '../core/reconcile/pod-row.ts';

/** What one effect came to. */
export type Performed =
  /** Go on with the next effect. */
  | { readonly kind: 'done' }
  /** Stop here; the rest of the decision no longer fits the world. */
  | { readonly kind: 'stop'; readonly next: Next; readonly row?: Partial<PodRow>; readonly fault?: Fault }
  /** The row is gone, or no longer ours: nothing may be written. */
  | { readonly kind: 'released' };

export const done: Performed = { kind: 'done' };

/** Retry-After is honoured; everything else backs off. */
export function later(fault: Fault): Extract<Performed, { kind: 'stop' }> {
  const next: Next = fault.kind === 'throttled' ? { kind: 'in', ms: fault.retryAfterMs } : { kind: 'backoff' };
  return { kind: 'stop', next, fault };
}
