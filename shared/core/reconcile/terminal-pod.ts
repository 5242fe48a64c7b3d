import { groupCondition, showsEnd } from '../status/status.ts';
import { groupIsGoing, putWaitMs } from './absent-pod.ts';
import type { Pod } from '../kubernetes/pod.ts';
import type { Decision, Observed } from './observed.ts';

/**
 * Phase Succeeded or Failed is final, whoever wrote it. What still runs is ended; the group stays for its logs until
 * the pod is deleted.
 */
export function decideTerminalPod(observed: Observed, pod: Pod): Decision {
  return pod.metadata.deletionTimestamp === undefined ? decideEnded(observed, pod) : decideEndedAndDeleted(observed);
}

function decideEnded(observed: Observed, pod: Pod): Decision {
  const settled: Decision = {
    reason: 'ended',
    effects: [],
    row: { settled: true, fault: undefined },
    next: { kind: 'idle' },
  };
  if (observed.sight.kind !== 'seen') {
    const waitMs = putWaitMs(observed.row, observed.now);
    return waitMs > 0
      ? { reason: 'put-may-be-in-flight', effects: [], row: {}, next: { kind: 'in', ms: waitMs } }
      : settled;
  }
  const { group } = observed.sight;
  const condition = groupCondition(group);
  // The end that made the pod terminal may come before ARM's word for the group; to end it once more would erase its logs.
  if (condition !== 'deleting' && showsEnd(group, pod)) return settled;
  switch (condition) {
    case 'ended':
    case 'stopped':
    case 'failed-to-provision':
      return settled;
    case 'running':
      return { reason: 'ended-but-running', effects: [{ kind: 'stop-group' }], row: {}, next: { kind: 'again' } };
    case 'provisioning':
      return { reason: 'ended-but-starting', effects: [{ kind: 'delete-group' }], row: {}, next: { kind: 'again' } };
    case 'deleting':
      return groupIsGoing;
  }
}

function decideEndedAndDeleted(observed: Observed): Decision {
  if (observed.sight.kind === 'seen') {
    if (groupCondition(observed.sight.group) === 'deleting') return groupIsGoing;
    return { reason: 'delete-ended', effects: [{ kind: 'delete-group' }], row: {}, next: { kind: 'again' } };
  }
  const waitMs = putWaitMs(observed.row, observed.now);
  if (waitMs > 0) return { reason: 'put-may-be-in-flight', effects: [], row: {}, next: { kind: 'in', ms: waitMs } };
  // A finalizer may keep the object: the DELETED event, or the resync, forgets the row.
  return {
    reason: 'release-pod',
    effects: [{ kind: 'delete-pod' }],
    row: { settled: true },
    next: { kind: 'in', ms: 5_000 },
  };
}
