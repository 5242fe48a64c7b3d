/** Whether the app takes posts, as far as it was asked to a person. Times are monotonic ms. */
export interface Reachability {
  /** Of the first failure since the last success. */
  readonly failingSince: number | undefined;
  /** When it was last said that the app can't be reached. */
  readonly saidAt: number | undefined;
  /** Whether the last word was that it can't. */
  readonly isSaid: boolean;
}

export const firstReach: Reachability = { failingSince: undefined, saidAt: undefined, isSaid: false };

const sayAfterMs = 60_000;
const sayEveryMs = 600_000;

/**
 * After each post. `unreachable` is to be said when none was taken for a minute, and again every ten minutes while that
 * lasts; never more often, though it come and go. `reachable`: once after that.
 */
export function reach(
  before: Reachability,
  isReached: boolean,
  now: number,
): { readonly state: Reachability; readonly say: 'nothing' | 'unreachable' | 'reachable' } {
  if (isReached)
    return {
      state: { ...before, failingSince: undefined, isSaid: false },
      say: before.isSaid ? 'reachable' : 'nothing',
    };
  const failingSince = before.failingSince ?? now;
  const isDue = before.saidAt === undefined || now - before.saidAt >= sayEveryMs;
  if (now - failingSince < sayAfterMs || !isDue) return { state: { ...before, failingSince }, say: 'nothing' };
  return { state: { failingSince, saidAt: now, isSaid: true }, say: 'unreachable' };
}
