import { deletedStatus, groupCondition, podStatusFromGroup, statusToWrite } from '../status/status.ts';
import { groupIsGoing, putWaitMs } from './absent-pod.ts';
import type { GroupObservation } from '../group/group.ts';
import type { Pod } from '../kubernetes/pod.ts';
import type { Decision, Effect, Observed } from './observed.ts';

/** How long past the grace period `stop` is tried before the group is deleted without it. */
const stopPatienceMs = 30_000;

/**
 * Graceful delete (DESIGN rule 6): harvest what has ended, end the rest, confirm, write the terminal status, delete
 * the group, confirm, delete the pod. Each round does the next step that the world asks for.
 */
export function decideDeletingPod(observed: Observed, pod: Pod): Decision {
  const { sight } = observed;
  if (sight.kind !== 'seen') return decideWithoutGroup(observed, pod);
  const condition = groupCondition(sight.group);
  switch (condition) {
    case 'provisioning':
      return again('delete-unprovisioned', [...harvest(observed, pod, sight.group), { kind: 'delete-group' }]);
    case 'running':
      return decideRunning(observed, pod, sight.group);
    case 'ended':
    case 'stopped':
    case 'failed-to-provision':
      return again('delete-ended', [...terminal(observed, pod, sight.group), { kind: 'delete-group' }]);
    case 'deleting':
      return groupIsGoing;
  }
}

function decideWithoutGroup(observed: Observed, pod: Pod): Decision {
  const waitMs = putWaitMs(observed.row, observed.now);
  if (waitMs > 0) return { reason: 'put-may-be-in-flight', effects: [], row: {}, next: { kind: 'in', ms: waitMs } };
  return again('release-pod', [...terminal(observed, pod, undefined), { kind: 'delete-pod' }]);
}

function decideRunning(observed: Observed, pod: Pod, group: GroupObservation): Decision {
  const killing: Effect = {
    kind: 'create-event',
    type: 'Normal',
    reason: 'Killing',
    message: `Stopping container group ${group.name}`,
  };
  const deadline = Date.parse(pod.metadata.deletionTimestamp ?? '');
  const overdue = Number.isFinite(deadline) && observed.now > deadline + stopPatienceMs;
  return again(overdue ? 'delete-overdue' : 'stop', [
    ...harvest(observed, pod, group),
    killing,
    { kind: overdue ? 'delete-group' : 'stop-group' },
  ]);
}

/** What has ended already stands in the status before anything erases it. */
function harvest(observed: Observed, pod: Pod, group: GroupObservation): Effect[] {
  const ended = [...group.containers, ...group.initContainers].some(
    (container) => container.instanceView?.currentState?.state === 'Terminated',
  );
  if (!ended) return [];
  const status = statusToWrite(
    pod,
    podStatusFromGroup({ pod, group, hostIP: observed.policy.hostIP, now: observed.now }),
  );
  return status === undefined ? [] : [{ kind: 'patch-status', status, reason: 'harvest' }];
}

function terminal(observed: Observed, pod: Pod, group: GroupObservation | undefined): Effect[] {
  const status = statusToWrite(pod, deletedStatus({ pod, group, now: observed.now }));
  return status === undefined ? [] : [{ kind: 'patch-status', status, reason: 'terminal' }];
}

const again = (reason: string, effects: readonly Effect[]): Decision => ({
  reason,
  effects,
  row: {},
  next: { kind: 'again' },
});
