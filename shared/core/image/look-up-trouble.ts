import type { BackoffPolicy } from '../backoff/backoff.ts';
import { backoffMs } from '../backoff/backoff.ts';
import { describeFault } from '../fault.ts';
import type { Fault } from '../fault.ts';

/** A kubelet's waiting reason while an image can't be had. */
export interface LookUpTrouble {
  readonly reason: 'ErrImagePull' | 'ImagePullBackOff';
  readonly message: string;
}

/** What went wrong, after how many tries that went wrong before. */
export interface FailedLookUp {
  readonly image: string;
  /** A fault's message names the registry and what it answered. */
  readonly fault: Fault;
  readonly attempt: number;
}

/** As a kubelet: the first time the fault itself, from then on that it is waited for. */
export function lookUpTrouble({ image, fault, attempt }: FailedLookUp): LookUpTrouble {
  const message = `failed to pull image "${image}": ${describeFault(fault)}`;
  return attempt === 0
    ? { reason: 'ErrImagePull', message }
    : { reason: 'ImagePullBackOff', message: `Back-off pulling image "${image}": ErrImagePull: ${message}` };
}

/** A kubelet's: 10 s, doubled up to five minutes. */
const policy: BackoffPolicy = { baseMs: 20_000, maxMs: 300_000 };

/** When to ask again; not before the registry wants to be asked. `random` in [0, 1). */
export function nextLookUpMs({ fault, attempt }: FailedLookUp, random: number): number {
  const waitMs = backoffMs(policy, attempt, random);
  return fault.kind === 'throttled' ? Math.max(waitMs, fault.retryAfterMs) : waitMs;
}
