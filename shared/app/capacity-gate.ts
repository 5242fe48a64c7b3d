import { afterCapacityEvent, mayAsk } from '../core/budget/capacity.ts';
import type { CapacityEvent, CapacityState } from '../core/budget/capacity.ts';
import { describeFault, ok } from '../core/fault.ts';
import type { Result } from '../core/fault.ts';
import type { StateStore, Versioned } from '../ports/state-store.ts';
import type { Deps } from './deps.ts';

/** What a process has read so lately counts as now: a burst reads each row once. It only ever costs one PUT too many. */
const freshMs = 2_000;
const mostTries = 4;

interface Known {
  readonly row: Versioned<CapacityState> | undefined;
  readonly readAtMs: number;
}

/** By the process's store, so that nothing is shared where a test has several processes. */
const remembered = new WeakMap<StateStore, Map<string, Known>>();

const memoryOf = ({ store }: Deps): Map<string, Known> => {
  const known = remembered.get(store) ?? new Map<string, Known>();
  remembered.set(store, known);
  return known;
};

/** What is known against a size of groups; undefined: nothing. At most one request in two seconds. */
export async function readCapacity(deps: Deps, size: string): Promise<Result<CapacityState | undefined>> {
  const known = memoryOf(deps).get(size);
  if (known !== undefined && deps.clock.monotonicMs() - known.readAtMs < freshMs) return ok(known.row?.value);
  const read = await readRow(deps, size);
  return read.ok ? ok(read.value?.value) : read;
}

/**
 * Writes down what happened, guarded against all others. `false`: an `ask` that is not allowed any more, as somebody else
 * asks. Nothing is read or written while this process knows of nothing against the size, unless a pod was refused just now
 * or has come up, which may have waited for what another process was answered.
 */
export async function noteCapacity(deps: Deps, size: string, event: CapacityEvent): Promise<Result<boolean>> {
  const memory = memoryOf(deps);
  if (!isNews(event) && memory.get(size)?.row === undefined) return ok(true);
  for (let tries = 1; ; tries += 1) {
    const read = await readRow(deps, size);
    if (!read.ok) return read;
    const now = await deps.store.now();
    if (!now.ok) return now;
    const state = read.value?.value;
    if (event.kind === 'ask' && mayAsk(state, { uid: event.uid, now: now.value }).kind === 'wait') return ok(false);
    const next = afterCapacityEvent(state, event, now.value);
    if (next === state) return ok(true);
    const written = await deps.store.upsertCapacity(size, next, read.value);
    if (written.ok) memory.set(size, { row: written.value, readAtMs: deps.clock.monotonicMs() });
    else memory.delete(size);
    if (written.ok) return ok(true);
    if (written.fault.kind !== 'conflict' || tries === mostTries) return written;
  }
}

const isNews = ({ kind }: CapacityEvent): boolean => kind === 'refused' || kind === 'came-up';

/** A pod that can't be kept waiting for this is worked on all the same: what is lost costs a PUT. */
export async function reportCapacity(deps: Deps, size: string, event: CapacityEvent): Promise<void> {
  const noted = await noteCapacity(deps, size, event);
  if (!noted.ok)
    deps.log.warn('what ARM said of its capacity could not be written down', {
      size,
      fault: describeFault(noted.fault),
    });
}

async function readRow(deps: Deps, size: string): Promise<Result<Versioned<CapacityState> | undefined>> {
  const readAtMs = deps.clock.monotonicMs();
  const read = await deps.store.getCapacity(size);
  if (read.ok) memoryOf(deps).set(size, { row: read.value, readAtMs });
  return read;
}
