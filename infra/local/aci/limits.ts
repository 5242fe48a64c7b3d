import type { Clock } from './clock.ts';
import { frontDoor } from './errors.ts';
import type { ArmFault } from './errors.ts';
import type { EmulatorOptions } from './options.ts';

export type BucketKind = 'reads' | 'writes' | 'deletes';

/** What a request may spend, and what is left, as headers. */
export type Spent = { readonly kind: 'spent'; readonly headers: Readonly<Record<string, string>> } | ArmFault;

interface Bucket {
  tokens: number;
  at: number;
}

interface FixedWindow {
  readonly began: number;
  used: number;
}

const windows = [
  { name: 'pt5m', interval: '00:05:00', ms: 300_000 },
  { name: 'pt1h', interval: '01:00:00', ms: 3_600_000 },
] as const;

/** ARM's token buckets per principal and ACI's create/delete windows per subscription (docs/aci.md, Budgets). */
export class RateLimits {
  readonly #clock: Clock;
  readonly #options: EmulatorOptions;
  readonly #buckets = new Map<string, Bucket>();
  readonly #windows = new Map<string, FixedWindow>();

  constructor(clock: Clock, options: EmulatorOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** Takes one token of the principal's bucket. */
  spend(kind: BucketKind, principal: string): Spent {
    const size = this.#options.armBuckets[kind];
    const now = this.#clock.now();
    const key = `${principal}/${kind}`;
    const bucket = this.#buckets.get(key) ?? { tokens: size.capacity, at: now };
    const refilled = ((now - bucket.at) / 1000) * size.refillPerSecond;
    bucket.tokens = Math.min(size.capacity, bucket.tokens + refilled);
    bucket.at = now;
    this.#buckets.set(key, bucket);
    if (bucket.tokens < 1) {
      const seconds = Math.max(1, Math.ceil((1 - bucket.tokens) / size.refillPerSecond));
      return frontDoor.subscriptionThrottled(kind, size.capacity, seconds);
    }
    bucket.tokens -= 1;
    const headers = { [`x-ms-ratelimit-remaining-subscription-${kind}`]: String(Math.floor(bucket.tokens)) };
    return { kind: 'spent', headers };
  }

  /** Counts one create or delete of a container group; refused ones count as well. */
  spendResourceRequest(subscription: string, verb: 'write' | 'delete'): Spent {
    const action = `Microsoft.ContainerInstance/containerGroups/${verb}`;
    const limits = { pt5m: this.#options.resourceRequests.per5Minutes, pt1h: this.#options.resourceRequests.perHour };
    const now = this.#clock.now();
    const open = windows.map((w) => ({
      ...w,
      limit: limits[w.name],
      window: this.#open(`${subscription}/${verb}/${w.name}`, w.ms),
    }));
    for (const w of open)
      if (w.window.used >= w.limit) {
        const seconds = Math.max(1, Math.ceil((w.window.began + w.ms - now) / 1000));
        return frontDoor.resourceRequestsThrottled(action, w.limit, w.interval, seconds);
      }
    const headers: Record<string, string> = {};
    for (const w of open) {
      w.window.used += 1;
      headers[`x-ms-ratelimit-remaining-subscription-resource-requests-${w.name}`] = String(w.limit - w.window.used);
    }
    return { kind: 'spent', headers };
  }

  reset(): void {
    this.#buckets.clear();
    this.#windows.clear();
  }

  #open(key: string, ms: number): FixedWindow {
    const now = this.#clock.now();
    const known = this.#windows.get(key);
    if (known !== undefined && now < known.began + ms) return known;
    const fresh = { began: now, used: 0 };
    this.#windows.set(key, fresh);
    return fresh;
  }
}
