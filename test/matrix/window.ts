import { timing } from '../../shared/core/reconcile/timing.ts';

/**
 * Requests that ACI has no precondition for, and how late each may arrive: a PUT as long as its intent is open to all
 * others, stop and DELETE as long as their sender's lock. What arrives later is rule 2's documented window.
 */
export const windowCalls: ReadonlyMap<string, number> = new Map([
  ['groups.createOrUpdate', timing.openIntentMs],
  ['groups.stop', timing.lockMs],
  ['groups.delete', timing.lockMs],
]);

export const isInWindow = (late: { readonly name: string; readonly ms: number } | undefined): boolean =>
  late !== undefined && late.ms >= (windowCalls.get(late.name) ?? Infinity);
