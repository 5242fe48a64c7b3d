import { acceptCharge, isScarce, newBucket } from '../../core/budget/plan.ts';
import type { Charge } from '../../core/budget/plan.ts';
import type { BucketState } from '../../core/budget/token-bucket.ts';
import { fail, ok } from '../../core/fault.ts';
import type { Result } from '../../core/fault.ts';
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
  /**
   * A call that the server accepted without reporting what remains. What several of them show is written once, and at once
   * only where little is left for others to take; else it goes with the next change. What is not written is forgotten
   * with the process, the safe direction. Cost: nothing while the row presumes nothing.
   */
  noteAccepted(charge: Charge): Promise<Result<void>>;
}

/** What one try works with. */
interface Current {
  /** The row as it is there. */
  readonly previous: Versioned<BucketState> | undefined;
  readonly state: BucketState;
  readonly now: number;
  /** How many accepted calls are in the state and not in the row. */
  readonly accepted: number;
}

const maxTries = 4;
const contentionRetryMs = 500;

/** `onBirth` is called when the row was not there and is now. */
export function createBucket(name: string, store: StateStore, onBirth: () => void): Bucket {
  let known: Versioned<BucketState> | undefined;
  let queue: Promise<unknown> = Promise.resolve();
  /** Accepted calls that the row does not know of yet. */
  let accepted = 0;
  let writing: Promise<Result<void>> | undefined;

  /** The row as it is known, or as it would be born, with what the accepted calls since then have shown. */
  const readRow = async (charge: Charge): Promise<Result<Current>> => {
    const read = known === undefined ? await store.getBucket(name) : ok(known);
    if (!read.ok) return read;
    // After the row, so that what is granted at this time starts to age now.
    const now = await store.now();
    if (!now.ok) return now;
    const stored = read.value?.value ?? newBucket(charge, now.value);
    const state = accepted === 0 ? stored : acceptCharge(stored, charge, { now: now.value, accepted });
    return ok({ previous: read.value, now: now.value, state, accepted });
  };

  const tryOnce = async <T>(
    charge: Charge,
    change: (state: BucketState, now: number) => BucketChange<T>,
  ): Promise<Result<{ readonly answer: T } | 'again'>> => {
    const remembered = known !== undefined;
    const current = await readRow(charge);
    if (!current.ok) return current;
    const { previous, state, now } = current.value;
    const { write, answer, doubtful } = change(state, now);
    known = previous;
    if (remembered && doubtful === true) {
      known = undefined;
      return ok('again');
    }
    if (state.presumed === undefined) accepted = 0;
    // A row that is not there yet is written in any case: its birth starts the clock.
    const next = write ?? (previous === undefined ? state : undefined);
    return next === undefined ? ok({ answer }) : ((await writeRow(next, current.value)) ?? ok({ answer }));
  };

  /** Undefined when it is written. */
  const writeRow = async (
    next: BucketState,
    { previous, accepted: reported }: Current,
  ): Promise<Result<'again'> | undefined> => {
    const written = await store.upsertBucket(name, next, previous);
    known = written.ok ? written.value : undefined;
    if (!written.ok && written.fault.kind === 'conflict') return ok('again');
    // What may have been written must not count twice.
    accepted = Math.max(0, accepted - reported);
    if (!written.ok) return written;
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

  const enqueue: Bucket['update'] = (charge, change) => {
    const result = queue.then(() => update(charge, change));
    queue = result.catch(() => undefined);
    return result;
  };

  const writeAccepted = async (charge: Charge): Promise<Result<void>> => {
    if (accepted === 0 || (known !== undefined && !isScarce(known.value))) return ok(undefined);
    const reported = await enqueue(charge, (state) =>
      state.presumed === undefined ? { answer: undefined } : { write: state, answer: undefined },
    );
    return reported.ok ? writeAccepted(charge) : reported;
  };

  return {
    update: enqueue,
    noteAccepted: (charge) => {
      accepted += 1;
      writing ??= writeAccepted(charge).finally(() => {
        writing = undefined;
      });
      return writing;
    },
  };
}
