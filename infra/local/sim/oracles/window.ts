/** As docs/architecture.md has them, whatever the code says. */
export const terms = {
  lockMs: 40_000,
  openIntentMs: 60_000,
  birthMs: 60_000,
} as const;

/**
 * Requests that ACI has no precondition for, and how late each may arrive: a PUT as long as its intent is open to all
 * others, stop and DELETE as long as their sender's lock. What arrives later is rule 2's documented window.
 */
export const windowCalls: ReadonlyMap<string, number> = new Map([
  ['groups.createOrUpdate', terms.openIntentMs],
  ['groups.stop', terms.lockMs],
  ['groups.delete', terms.lockMs],
]);

/** A request that arrived late, how much, and when. */
export interface LateRequest {
  readonly name: string;
  readonly ms: number;
  readonly at: number;
}

const isLateEnough = ({ name, ms }: LateRequest): boolean => ms >= (windowCalls.get(name) ?? Infinity);

export const isInWindow = (late: readonly LateRequest[]): boolean => late.some(isLateEnough);

/** When the first PUT of the window arrived; never: Infinity. */
export const windowPutAt = (late: readonly LateRequest[]): number =>
  Math.min(
    Infinity,
    ...late.filter((one) => one.name === 'groups.createOrUpdate' && isLateEnough(one)).map(({ at }) => at),
  );
