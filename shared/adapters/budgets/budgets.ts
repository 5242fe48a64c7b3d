import { closeCharge, everyCharge, isNews, observeCharge, planSpend } from '../../core/budget/plan.ts';
import type { ArmLimits, Charge, SpendPlan } from '../../core/budget/plan.ts';
import { describeFault, fail, ok } from '../../core/fault.ts';
import type { Result } from '../../core/fault.ts';
import type { BudgetObservation, Budgets, Reservation, Spend } from '../../ports/budgets.ts';
import type { Log } from '../../ports/log.ts';
import type { StateStore } from '../../ports/state-store.ts';
import { createBucket } from './bucket.ts';
import type { Bucket } from './bucket.ts';
import { createPermits } from './permits.ts';
import type { Permit, Permits } from './permits.ts';

export interface BudgetOptions {
  /** How many tokens are taken from a shared row at a time. A killed process loses at most as many. */
  readonly chunk: number;
  readonly log: Log;
  /** Called with each count that ARM names, as the part of the bucket that is left, 0 to 1. */
  readonly onLeft?: (bucket: string, part: number) => void;
  /** A clock in ms that never goes back; `performance.now` unless given. */
  readonly monotonicMs?: () => number;
}

const minObservationMs = 1000;

interface SpendAccount {
  readonly plan: SpendPlan;
  readonly sources: readonly Permits[];
}

/**
 * The budgets of ARM, shared by all instances through rows of the state store. `take` fails with the store's fault
 * (`transient`) when the rows cannot be had: without them nobody may spend. `report` never fails.
 */
export function createBudgets(store: StateStore, limits: ArmLimits, options: BudgetOptions): Budgets {
  const permitOptions = { chunk: options.chunk, monotonicMs: options.monotonicMs ?? (() => performance.now()) };
  const buckets = new Map<string, Bucket>();
  const accounts = new Map<Spend, SpendAccount>();
  const bucketOf = ({ bucket: name }: Charge): Bucket => {
    const bucket = buckets.get(name) ?? createBucket(name, store, startClocks);
    buckets.set(name, bucket);
    return bucket;
  };
  /** An empty row fills up from its birth on: all are born with the first, so that none starts with its first use. */
  const startClocks = (): void => {
    for (const charge of everyCharge(limits))
      if (!buckets.has(charge.bucket)) void bucketOf(charge).update(charge, () => ({ answer: undefined }));
  };
  const accountOf = (spend: Spend): SpendAccount => {
    const existing = accounts.get(spend);
    if (existing !== undefined) return existing;
    const plan = planSpend(spend, limits);
    const sources = plan.charges.map((charge) => createPermits(charge, bucketOf(charge), permitOptions));
    const account = { plan, sources };
    accounts.set(spend, account);
    return account;
  };

  const close = async (charge: Charge, retryAfterMs: number): Promise<Result<void>> => {
    options.onLeft?.(charge.bucket, 0);
    return bucketOf(charge).update(charge, (state, now) => ({
      write: closeCharge(state, charge, { now, retryAfterMs }),
      answer: undefined,
    }));
  };

  const observed = new Map<Charge, number>();
  /** Most answers are no news; a bucket that fills up within seconds need not be checked for each of them. */
  const isDue = (charge: Charge): boolean => {
    if (charge.kind === 'window') return true;
    const nowMs = permitOptions.monotonicMs();
    if (nowMs - (observed.get(charge) ?? Number.NEGATIVE_INFINITY) < minObservationMs) return false;
    observed.set(charge, nowMs);
    return true;
  };

  const observe = async (charge: Charge, remaining: number | undefined): Promise<Result<void>> => {
    if (remaining !== undefined) options.onLeft?.(charge.bucket, Math.min(1, remaining / limitOf(charge)));
    if (remaining === undefined || !isDue(charge)) return ok(undefined);
    return bucketOf(charge).update(charge, (state, now) =>
      isNews(state, charge, { now, remaining })
        ? { write: observeCharge(state, charge, { now, remaining }), answer: undefined }
        : { answer: undefined },
    );
  };

  /** ARM's count reports more than that it accepted the call. */
  const observeWindowed = async (
    charge: Charge,
    { windowRemaining, accepted }: BudgetObservation,
  ): Promise<Result<void>> =>
    windowRemaining === undefined && accepted === true
      ? bucketOf(charge).noteAccepted(charge)
      : observe(charge, windowRemaining);

  return {
    take: (spend) => takeAll(accountOf(spend).sources, permitOptions.monotonicMs),
    reserve: (spend) => reserveAll(accountOf(spend).sources),
    report: async (spend, observation) => {
      const { plan } = accountOf(spend);
      const results = [
        observation.retryAfterMs === undefined ? ok(undefined) : await close(plan.closes, observation.retryAfterMs),
        await observe(plan.metered, observation.remaining),
        plan.windowed === undefined ? ok(undefined) : await observeWindowed(plan.windowed, observation),
      ];
      for (const result of results)
        if (!result.ok)
          options.log.warn('A budget could not be corrected.', { spend, fault: describeFault(result.fault) });
    },
  };
}

/** What a bucket can hold; of a window's rules the one of the shortest time, which is used up first. */
const limitOf = (charge: Charge): number =>
  charge.kind === 'tokens' ? charge.limits.capacity : Math.min(...charge.limits.rules.map(({ limit }) => limit));

async function reserveAll(sources: readonly Permits[]): Promise<Result<Reservation>> {
  for (const source of sources) {
    const refusal = source.kind === 'window' ? source.knownRefusal() : undefined;
    if (refusal !== undefined) return fail(refusal);
  }
  const taken = await takeEach(sources.filter(({ kind }) => kind === 'tokens'));
  if (!taken.ok) return taken;
  const kept = [...taken.value];
  return ok({ release: () => giveBack(kept.splice(0)) });
}

interface Taken {
  readonly source: Permits;
  readonly permit: Permit;
}

const giveBack = (taken: readonly Taken[]): void => {
  for (const { source, permit } of taken) source.giveBack(permit);
};

/** A permit of each source, or none of any. */
async function takeEach(sources: readonly Permits[]): Promise<Result<readonly Taken[]>> {
  const taken: Taken[] = [];
  for (const source of sources) {
    const permit = await source.take();
    if (!permit.ok) {
      giveBack(taken);
      return permit;
    }
    taken.push({ source, permit: permit.value });
  }
  return ok(taken);
}

const maxRounds = 3;

/** One permit of each source, or none of any. One that expired while another was fetched is lost. */
async function takeAll(sources: readonly Permits[], monotonicMs: () => number): Promise<Result<void>> {
  for (let round = 0; round < maxRounds; round += 1) {
    const taken = await takeEach(sources);
    if (!taken.ok) return taken;
    const nowMs = monotonicMs();
    if (taken.value.every(({ permit }) => permit.expiresAtMs > nowMs)) return ok(undefined);
    giveBack(taken.value);
  }
  return fail({ kind: 'throttled', retryAfterMs: 1000, message: 'The budget rows are too slow.' });
}
