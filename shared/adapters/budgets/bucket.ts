import { newBucket, type Charge } from '../../core/budget/plan.ts';
import type { BucketState } from '../../core/budget/token-bucket.ts';
import { fail, ok, type Result } from '../../core/fault.ts';
import type { StateStore, Versioned } from '../../ports/state-store.ts';

/** What a change makes of a bucket: the state to write, if any, and its answer. */
interface BucketChange<T> {
  readonly write?: BucketState;
  readonly answer: T;
  /** Look again at a fresh row before this answer is believed: what is remembered here may be out of date. */
  readonly doubtful?: boolean;
}

/** The shared row of one bucket, as one process sees it. */
export interface Bucket {
  /**
   * Reads, changes and writes the row, one change after the other in this process, guarded by ETag against all others;
   * up to four tries, then `throttled`. A fault means that the change may or may not have been written.
   */
  update<T>(charge: Charge, change: (state: BucketState, now: number) => BucketChange<T>): Promise<Result<T>>;
}

const maxTries = 4;
const contentionRetryMs = 500;

/** `onBirth` is told when the row was not there and is now. */
export function createBucket(name: string, store: StateStore, onBirth: () => void): Bucket {
  let known: Versioned<BucketState> | undefined;
  let queue: Promise<unknown> = Promise.resolve();

  const tryOnce = async <T>(
    charge: Charge,
    change: (state: BucketState, now: number) => BucketChange<T>,
  ): Promise<Result<{ readonly answer: T } | 'again'>> => {
    const remembered = known !== undefined;
    const read = known === undefined ? await store.getBucket(name) : ok(known);
    if (!read.ok) return read;
    // After the row, so that what is granted at this time starts to age now.
    const now = await store.now();
    if (!now.ok) return now;
    const state = read.value?.value ?? newBucket(charge, now.value);
    const { write, answer, doubtful } = change(state, now.value);
    known = read.value;
    if (remembered && doubtful === true) {
      known = undefined;
      return ok('again');
    }
    // A row that is not there yet is written in any case: its birth starts the clock.
    const next = write ?? (read.value === undefined ? state : undefined);
    if (next === undefined) return ok({ answer });
    return (await writeRow(next, read.value)) ?? ok({ answer });
  };

  /** Undefined when it is written. */
  const writeRow = async (
    next: BucketState,
    previous: Versioned<BucketState> | undefined,
  ): Promise<Result<'again'> | undefined> => {
    const written = await store.upsertBucket(name, next, previous);
    known = written.ok ? written.value : undefined;
    if (!written.ok) return written.fault.kind === 'conflict' ? ok('again') : written;
    if (previous === undefined) onBirth();
    return undefined;
  };

  const update: Bucket['update'] = async (charge, change) => {
    for (let tries = 0; tries < maxTries; tries += 1) {
      const result = await tryOnce(charge, change);
      if (!result.ok) return result;
      if (result.value !== 'again') return ok(result.value.answer);
    }
    const message = `Too many instances want the budget ${name} at once.`;
    return fail({ kind: 'throttled', retryAfterMs: contentionRetryMs, message });
  };

  return {
    update: (charge, change) => {
      const result = queue.then(() => update(charge, change));
      queue = result.catch(() => undefined);
      return result;
    },
  };
}
