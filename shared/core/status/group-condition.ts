import type { GroupObservation } from '../group/group.ts';
import type { Pod } from '../kubernetes/pod.ts';
import { hasInstallFailed } from './install-trouble.ts';
import { isFinalEnd, isSidecar, restartPolicyOf } from './restart.ts';
import { observeStatuses } from './observe.ts';

/**
 * Where a group is in its life, from `provisioningState` and `instanceView.state` (docs/aci.md, Life of a group). `stopped`: its containers
 * were ended from outside and their instance view is gone. `ended`: they ended by themselves.
 */
export type GroupCondition = 'provisioning' | 'running' | 'ended' | 'stopped' | 'failed-to-provision' | 'deleting';

const unprovisioned: ReadonlySet<string> = new Set([
  '',
  'NotSpecified',
  'Accepted',
  'Pending',
  'Creating',
  'PreProvisioned',
]);
const transitioning: ReadonlySet<string> = new Set([
  'Accepted',
  'Pending',
  'Creating',
  'Updating',
  'Repairing',
  'Deleting',
]);
const failed: ReadonlySet<string> = new Set(['Failed', 'Canceled']);

export function groupCondition(group: GroupObservation): GroupCondition {
  if (group.provisioningState === 'Deleting') return 'deleting';
  if (failed.has(group.provisioningState) || hasInstallFailed(group)) return 'failed-to-provision';
  if (group.state === 'Stopped') return 'stopped';
  if (!isProvisioned(group)) return 'provisioning';
  if (group.state === 'Succeeded' || group.state === 'Failed') return 'ended';
  return group.state === 'Running' ? 'running' : 'provisioning';
}

/** `stop` is possible; before that it answers 409 and only DELETE works (rule 6 of docs/architecture.md). A word nobody knows counts as provisioned. */
export const isProvisioned = (group: GroupObservation): boolean =>
  !unprovisioned.has(group.provisioningState) &&
  !failed.has(group.provisioningState) &&
  group.provisioningState !== 'Deleting';

/** PUT, stop and the like would be answered by 409 `ContainerGroupTransitioning` now. */
export const isTransitioning = (group: GroupObservation): boolean => transitioning.has(group.provisioningState);

/**
 * As {@link hasEnded}, by what the group itself shows and nothing else: containers may have ended before ARM calls the
 * group provisioned, or its state something else than Running.
 */
export const showsEnd = (group: GroupObservation, pod: Pod): boolean =>
  hasEnded(group, {
    ...pod,
    status: { ...pod.status, phase: 'Pending', initContainerStatuses: [], containerStatuses: [] },
  });

/** Nothing of the pod runs in this group any more, nor will: stopped, or every container's last word is known (by the *pod's* restart policy). */
export function hasEnded(group: GroupObservation, pod: Pod): boolean {
  if (groupCondition(group) === 'stopped') return true;
  const statuses = observeStatuses({ pod, group, now: 0 });
  const isOver = (isInit: boolean) => (container: (typeof pod.spec.containers)[number]) => {
    const status = statuses[isInit ? 'initContainerStatuses' : 'containerStatuses'].find(
      ({ name }) => name === container.name,
    );
    return status !== undefined && isFinalEnd(status.state, restartPolicyOf(pod, container, isInit));
  };
  const hasInitFailed = statuses.initContainerStatuses.some(
    ({ state }) => state.kind === 'terminated' && state.exitCode !== 0 && pod.spec.restartPolicy === 'Never',
  );
  const init = pod.spec.initContainers.filter((container) => !isSidecar(container));
  return hasInitFailed || (init.every(isOver(true)) && pod.spec.containers.every(isOver(false)));
}
