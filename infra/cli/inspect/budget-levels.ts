import { newBucket, planSpend } from '../../../shared/core/budget/plan.ts';
import type { ArmLimits, Charge } from '../../../shared/core/budget/plan.ts';
import { refill } from '../../../shared/core/budget/token-bucket.ts';
import type { BucketState } from '../../../shared/core/budget/token-bucket.ts';
import { remaining } from '../../../shared/core/budget/window.ts';
import type { WindowLimits } from '../../../shared/core/budget/window.ts';
import type { BudgetObserved } from './observed.ts';

/** The rows that `budgetLevels` reads, each once. */
export function budgetCharges(limits: ArmLimits): readonly Charge[] {
  const plans = (['read-poll', 'read-logs', 'write-end', 'write-create', 'delete'] as const).map((spend) =>
    planSpend(spend, limits),
  );
  const charges = plans.flatMap((plan) => plan.charges);
  const last = new Map(charges.map((charge) => [charge.bucket, charge.kind === 'tokens' ? whole(charge) : charge]));
  return [...last.values()];
}

/** What is left for the most urgent, so that no reserve hides a part. */
const whole = (charge: Extract<Charge, { kind: 'tokens' }>): Charge => ({ ...charge, reserve: 0 });

/**
 * How much of each budget is left now, in whole requests. A row that is not there yet (nothing has been spent) starts
 * empty, as for the app. `now` is the Table service's time in ms.
 */
export function budgetLevels(
  rows: readonly { readonly charge: Charge; readonly state: BucketState | undefined }[],
  now: number,
): readonly BudgetObserved[] {
  return rows.flatMap(({ charge, state }) =>
    charge.kind === 'tokens'
      ? [tokenLevel(charge.bucket, charge.limits, { state: state ?? newBucket(charge, now), now })]
      : windowLevels(charge.bucket, charge.limits, { state: state ?? newBucket(charge, now), now }),
  );
}

interface At {
  readonly state: BucketState;
  readonly now: number;
}

function tokenLevel(
  name: string,
  limits: Extract<Charge, { kind: 'tokens' }>['limits'],
  { state, now }: At,
): BudgetObserved {
  const { tokens } = refill(state, limits, now);
  const closedMs = Math.max(0, (state.closedUntil ?? 0) - now);
  const left = closedMs > 0 ? 0 : Math.floor(tokens);
  const fullMs = ((limits.capacity - tokens) / limits.refillPerSecond) * 1000;
  return level({ name, left, of: Math.floor(limits.capacity), fullMs: Math.max(closedMs, fullMs), closedMs });
}

/** One line for each window: `create-requests` becomes `creates in 5 minutes` and `creates in 1 hour`. */
function windowLevels(bucket: string, limits: WindowLimits, { state, now }: At): readonly BudgetObserved[] {
  const current = { ...state, at: Math.max(state.at, now) };
  const closedMs = Math.max(0, (state.closedUntil ?? 0) - now);
  const presumed = state.presumed !== undefined && state.presumed.until > now ? state.presumed : undefined;
  return limits.rules.map((rule) => {
    const left = Math.min(
      remaining(current, { ...limits, rules: [rule] }),
      presumed === undefined ? rule.limit : Math.floor(presumed.left),
    );
    const ends = (state.slots ?? []).map(([slot]) => (slot + 1) * limits.slotMs + rule.windowMs + limits.lagMs - now);
    const unknownMs = presumed === undefined ? 0 : presumed.until - now;
    return level({
      name: `${bucket.replace(/-requests$/, 's')} in ${windowText(rule.windowMs)}`,
      left: closedMs > 0 ? 0 : Math.max(0, left),
      of: rule.limit,
      fullMs: Math.max(0, closedMs, unknownMs, ...ends),
      closedMs,
      trickles: presumed?.left === 0,
      isPresumed: presumed !== undefined && presumed.left > 0,
    });
  });
}

const windowText = (ms: number): string => (ms >= 3_600_000 ? '1 hour' : `${String(ms / 60_000)} minutes`);

interface Level {
  readonly name: string;
  readonly left: number;
  readonly of: number;
  readonly fullMs: number;
  readonly closedMs: number;
  readonly trickles?: boolean;
  readonly isPresumed?: boolean;
}

const level = ({ name, left, of, fullMs, closedMs, trickles, isPresumed }: Level): BudgetObserved => ({
  name,
  left,
  of,
  fullInSeconds: Math.ceil(fullMs / 1000),
  ...(closedMs > 0 ? { closedForSeconds: Math.ceil(closedMs / 1000) } : {}),
  ...(trickles === true ? { trickles } : {}),
  ...(isPresumed === true ? { isPresumed } : {}),
});
