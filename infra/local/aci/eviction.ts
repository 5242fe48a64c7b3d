import { isTerminated, isTransitioning } from './group-state.ts';
import type { GroupEntry } from './group-store.ts';
import type { EmulatorState } from './state.ts';

export interface Eviction {
  readonly exitCode: number;
  readonly state: 'Failed' | 'Stopped';
}

/**
 * Azure takes back the capacity of a Spot group. A `Killing` event of each container that runs; then the group is `Failed`,
 * its containers ended for good whatever the policy, or `Stopped` as after POST stop. The group itself stays. All of it
 * is inferred. Gives why nothing was evicted, or `undefined`.
 */
export async function evictGroup(
  state: EmulatorState,
  entry: GroupEntry,
  eviction: Eviction,
): Promise<string | undefined> {
  const { life, status, body } = entry;
  if (body.properties.priority !== 'Spot') return `container group ${entry.name} is not Spot`;
  if (life === undefined || entry.halting || isTransitioning(status))
    return `container group ${entry.name} is in transition`;
  if (status.stopped || isTerminated(status)) return `container group ${entry.name} has ended`;
  entry.halting = true;
  try {
    if (eviction.state === 'Failed') await life.evict(eviction.exitCode);
    else {
      await life.retire({ keepSandbox: false, recordKills: true });
      if (!entry.deleted) state.store.apply(entry, { kind: 'stopped' });
    }
  } finally {
    entry.halting = false;
  }
  return undefined;
}
