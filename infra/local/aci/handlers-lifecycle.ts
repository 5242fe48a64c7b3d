import { aci, isFault } from './errors.ts';
import { isTerminated, isTransitioning, lifecycleState } from './group-state.ts';
import type { GroupEntry, Operation } from './group-store.ts';
import { findGroup } from './handlers-group.ts';
import { GroupLife } from './life.ts';
import { operationHeaders } from './operation-url.ts';
import { inBackground, reply } from './state.ts';
import type { ArmCall, EmulatorState, HandlerAnswer } from './state.ts';

/** POST stop: 204; afterwards the group is `Stopped` and its containers' views are gone. No effect on ended groups. */
export async function stopGroup(state: EmulatorState, call: ArmCall): Promise<HandlerAnswer> {
  const entry = findGroup(state, call);
  if (isFault(entry)) return entry;
  if (isBusy(entry)) return aci.transitioning(entry.name);
  if (isTerminated(entry.status) || entry.status.stopped) return reply(204);
  entry.halting = true;
  const ended = halt(state, entry);
  if (state.options.stopMode === 'background') {
    state.store.apply(entry, { kind: 'stopped' });
    inBackground(state, ended);
  } else await ended;
  return reply(204);
}

async function halt(state: EmulatorState, entry: GroupEntry): Promise<void> {
  try {
    await entry.life?.retire({ keepSandbox: false, recordKills: true });
  } finally {
    entry.halting = false;
    if (!entry.deleted) state.store.apply(entry, { kind: 'stopped' });
  }
}

/** POST start: a new life for a stopped or ended group; a running one is left alone (inferred). */
export function startGroup(state: EmulatorState, call: ArmCall): HandlerAnswer {
  const entry = findGroup(state, call);
  if (isFault(entry)) return entry;
  if (isBusy(entry)) return aci.transitioning(entry.name);
  const operation = state.store.begin(entry, 'Pending');
  if (lifecycleState(entry.status) === 'Running') state.store.finish(operation, 'Succeeded');
  else relaunch(state, entry, { kind: 'start', operation });
  return reply(204, undefined, operationHeaders(state, call, operation));
}

/** POST restart: ends the containers with grace and starts them again in the same place. */
export function restartGroup(state: EmulatorState, call: ArmCall): HandlerAnswer {
  const entry = findGroup(state, call);
  if (isFault(entry)) return entry;
  if (isBusy(entry)) return aci.transitioning(entry.name);
  const operation = state.store.begin(entry, 'Updating');
  relaunch(state, entry, { kind: 'restart', operation });
  return reply(204, undefined, operationHeaders(state, call, operation));
}

function isBusy(entry: GroupEntry): boolean {
  return isTransitioning(entry.status) || entry.halting;
}

function relaunch(
  state: EmulatorState,
  entry: GroupEntry,
  plan: { readonly kind: 'start' | 'restart'; readonly operation: Operation },
): void {
  const predecessor = entry.life;
  state.store.apply(entry, { kind: 'relaunched' });
  state.store.apply(entry, { kind: 'provisioning', state: plan.kind === 'start' ? 'Pending' : 'Updating' });
  const life = new GroupLife(state.life, entry, { ...plan, predecessor });
  entry.life = life;
  life.begin();
}
