import { agentTags, readAgentKey } from '../agent/agent-tags.ts';
import { heardGroup } from '../agent/reports/heard-group.ts';
import { memoryFor } from '../agent/reports/memory.ts';
import { defined } from '../defined.ts';
import type { GroupObservation, ObservedContainer } from '../group/group.ts';
import type { ContainerStatus, Pod } from '../kubernetes/pod.ts';
import { flatContainers } from '../pod/sidecars.ts';
import { viewOfStatus } from '../status/view-of-status.ts';
import type { Observed } from './observed.ts';
import type { PodRow } from './pod-row.ts';

/** The group that was seen, as its agents have it. */
export const asHeard = (
  { row, policy }: Pick<Observed, 'row'> & Partial<Pick<Observed, 'policy'>>,
  pod: Pod,
  group: GroupObservation,
): GroupObservation => heardGroup(pod, group, row.agent, policy?.agentSilence);

/** Whether the agents of all containers that run beside each other have spoken, so that they will of the end, too. */
export const areHeard = (pod: Pod, { agent }: Pick<PodRow, 'agent'>): boolean =>
  agent !== undefined &&
  [...flatContainers(pod).map(({ container }) => container), ...pod.spec.containers].every(
    ({ name }) => agent.containers[name] !== undefined,
  );

/** What the row remembers of the agents once this group was seen, whatever it had lost; nothing where that is no change. */
export function rememberAgents(row: PodRow, group: Pick<GroupObservation, 'tags'>): Pick<Partial<PodRow>, 'agent'> {
  const agent = memoryFor(row.agent, readAgentKey(group.tags));
  return agent === row.agent ? {} : { agent };
}

/**
 * The pod's group as its agents alone have it, without a read of ARM: what has no agent is as the pod's status says. Undefined:
 * nothing was heard, or the pod was not seen running yet, so that only a read says how it is.
 */
export function groupAsRemembered(pod: Pod, { agent, group: name }: PodRow): GroupObservation | undefined {
  if (agent === undefined || pod.status.phase === 'Pending') return undefined;
  const heard = agent.containers;
  if (Object.keys(heard).length === 0) return undefined;
  const statuses = [...pod.status.initContainerStatuses, ...pod.status.containerStatuses];
  const isKnown = (container: string): boolean => heard[container] !== undefined || hasRun(statuses, container);
  const flat = new Set(flatContainers(pod).map(({ container }) => container.name));
  const initContainers = pod.spec.initContainers.filter(({ name: one }) => !flat.has(one));
  const running = [...pod.spec.initContainers.filter(({ name: one }) => flat.has(one)), ...pod.spec.containers];
  if (![...initContainers, ...running].every((container) => isKnown(container.name))) return undefined;
  const shown = ({ name: container }: { readonly name: string }): ObservedContainer => {
    const known = heard[container] && statuses.find((status) => status.name === container);
    return { name: container, image: '', ...defined({ instanceView: known && viewOfStatus(known) }) };
  };
  const remembered: GroupObservation = {
    name,
    tags: agentTags({ digest: 'unread', ...agent.key }),
    provisioningState: 'Succeeded',
    state: 'Running',
    restartPolicy: pod.spec.restartPolicy,
    ...defined({ ip: pod.status.podIP }),
    containers: running.map(shown),
    initContainers: initContainers.map(shown),
    events: [],
  };
  return heardGroup(pod, remembered, agent);
}

const hasRun = (statuses: readonly ContainerStatus[], name: string): boolean =>
  statuses.some((status) => status.name === name && status.state.kind !== 'waiting');
