import { readAgentTags } from '../agent/agent-tags.ts';
import { downloadEnds } from '../agent/download.ts';
import type { GroupObservation, ObservedContainer } from '../group/group.ts';
import type { Pod } from '../kubernetes/pod.ts';
import { initialReason, waitingReason } from './waiting.ts';
import type { WaitingReason } from './waiting.ts';

/** Of `install` (infra/agent/README.md, Exit codes), and of what fetches it. */
const codes: ReadonlyMap<number, string> = new Map([
  [downloadEnds.otherBytes, 'the app has another agent than the one that the group was made for'],
  [downloadEnds.unreachable, 'the app could not be reached'],
  [120, 'a volume or /etc/hosts could not be prepared'],
  [121, 'its orders are wrong'],
  [122, 'its folder can not be written to'],
  [123, 'what is in its folder can not be executed'],
  [124, 'there is no space left'],
]);

/** The agent's own container, which nobody else has; the first of the group's init containers. */
const installOf = ({ tags, initContainers }: GroupObservation): ObservedContainer | undefined =>
  readAgentTags(tags) === undefined ? undefined : initContainers[0];

/** How `install` failed, if that was its last word; it is run again where the group's policy says so. */
function failureOf(group: GroupObservation): string | undefined {
  const { currentState: state, previousState } = installOf(group)?.instanceView ?? {};
  const ended = state?.state === 'Terminated' ? state : previousState;
  const code = state?.state === 'Running' ? undefined : ended?.exitCode;
  if (code === undefined || code === 0) return undefined;
  return `the agent could not prepare the group: ${codes.get(code) ?? 'it has failed'} (exit code ${code})`;
}

/** Whether the group has ended because its containers could not be prepared: none of them was started. */
export const hasInstallFailed = (group: GroupObservation): boolean =>
  group.state === 'Failed' &&
  failureOf(group) !== undefined &&
  group.containers.every(({ instanceView }) => instanceView?.currentState?.startTime === undefined);

export const installFault = failureOf;

/** What the containers wait for while `install` does not get done: its image, or that it has failed. Nothing is said of it otherwise. */
export function installTrouble(pod: Pod, group: GroupObservation): WaitingReason | undefined {
  const message = failureOf(group);
  if (message !== undefined) return { reason: 'CreateContainerError', message };
  const install = installOf(group);
  const view = install?.instanceView;
  if (install === undefined || view?.currentState?.state !== 'Waiting') return undefined;
  const fallback = initialReason(pod);
  const { detailStatus } = view.currentState;
  const found = waitingReason({
    pod,
    container: install.name,
    detailStatus,
    events: view.events,
    isRestart: false,
    fallback,
  });
  return found.reason === fallback.reason ? undefined : found;
}
