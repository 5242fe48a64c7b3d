import { armBuckets } from '../../shared/core/budget/plan.ts';
import { fail, ok } from '../../shared/core/fault.ts';
import type { Result } from '../../shared/core/fault.ts';
import type { Spend } from '../../shared/ports/budgets.ts';
import { RateLimits } from '../../infra/local/aci/limits.ts';
import { defaultOptions } from '../../infra/local/aci/options.ts';

/** What ARM and ACI grant; the same numbers are in the app's settings. */
export interface ArmGrants {
  readonly createsPer5Minutes: number;
  readonly createsPerHour: number;
}

/** Counts every request that arrives, as ARM does; what is beyond is refused and remembered (oracle O6). */
export class ArmMeter {
  readonly refused: string[] = [];
  readonly #limits: RateLimits;

  constructor(now: () => number, grants: ArmGrants) {
    const clock = { kind: 'virtual' as const, now, schedule: () => () => undefined };
    const resourceRequests = { per5Minutes: grants.createsPer5Minutes, perHour: grants.createsPerHour };
    this.#limits = new RateLimits(clock, { ...defaultOptions, resourceRequests });
  }

  /** What remains in ACI's windows, when it is reported; or the refusal. */
  take(spend: Spend): Result<{ readonly windowRemaining?: number }> {
    const bucket = this.#limits.spend(armBuckets[spend], 'app');
    if (bucket.kind !== 'spent') return this.#refuse(spend, bucket.message);
    if (spend !== 'write-create' && spend !== 'delete') return ok({});
    const requests = this.#limits.spendResourceRequest('s', spend === 'delete' ? 'delete' : 'write');
    if (requests.kind !== 'spent') return this.#refuse(spend, requests.message);
    const windows = Object.entries(requests.headers).map(([, left]) => Number(left));
    return ok({ windowRemaining: Math.min(...windows) });
  }

  #refuse(spend: Spend, message: string): Result<never> {
    this.refused.push(`${spend}: ${message}`);
    return fail({ kind: 'throttled', retryAfterMs: 10_000, message });
  }
}
