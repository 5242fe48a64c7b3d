import { isLivingPod, isTerminalPhase } from '../kubernetes/pod.ts';
import { containerEvents } from '../pod-events/container-events.ts';
import { podStatusFromGroup, wantedTails, withRelaySilence, withTails } from '../status/status.ts';
import { groupAsRemembered } from './heard.ts';
import { again, asPlanned, createEvent, forPods, inMs, patch, wait } from './rule.ts';
import { timing } from './timing.ts';
import type { Observed } from './observed.ts';
import type { PodRow } from './pod-row.ts';
import type { GroupObservation } from '../group/group.ts';
import type { Pod, PodStatus } from '../kubernetes/pod.ts';

/** Whether what agents have said is enough for the pod's status, without a read of ARM. Of a pod that is being ended it is not. */
export const suffices = (pod: Pod, row: PodRow): boolean =>
  isLivingPod(pod) && row.agent?.drain === undefined && groupAsRemembered(pod, row) !== undefined;

/** What agents report becomes the pod's status within the invocation that hears it. */
export const heardRules = forPods(isLivingPod, [
  {
    reason: 'heard-too-early',
    message: 'An agent has spoken of a pod that nobody has seen running: a poll says how it is',
    judge: (observed, pod) =>
      observed.correcting?.isHeard === true && !suffices(pod, observed.row) ? wait(inMs(timing.soonMs)) : undefined,
  },
  {
    reason: 'heard-of-a-failure',
    message: 'An agent reports a failure, and its termination message is to be the end of the log',
    judge: (observed, pod) => {
      const heard = observed.logTails === undefined ? heardOf(observed, pod) : undefined;
      const containers = heard === undefined ? [] : wantedTails(pod, heard.status);
      return containers.length === 0
        ? undefined
        : { effects: [{ kind: 'read-log-tails', containers }], row: {}, next: again };
    },
  },
  {
    reason: 'heard',
    message: 'The agents in the group have spoken, and the status is theirs, without a read of ARM',
    judge: (observed, pod) => {
      const heard = heardOf(observed, pod);
      if (heard === undefined) return undefined;
      const { group, status } = heard;
      const events = containerEvents({ pod, status, group, now: observed.now }).map(createEvent);
      const next = isTerminalPhase(status.phase)
        ? inMs(settleInMs(observed.policy.random))
        : asPlanned(observed.correcting, observed.now);
      return { effects: [...events, ...patch(pod, status)], row: {}, next };
    },
  },
]);

interface HeardStatus {
  readonly group: GroupObservation;
  readonly status: PodStatus;
}

function heardOf(observed: Observed, pod: Pod): HeardStatus | undefined {
  const { row, facts, now, policy, logTails, correcting } = observed;
  const group = correcting?.isHeard === true ? groupAsRemembered(pod, row) : undefined;
  if (group === undefined) return undefined;
  const found = podStatusFromGroup({ pod, group, hostIP: facts.hostIP, now });
  const status = withRelaySilence(pod, found, policy.relaySilence, row.agent?.expected);
  return { group, status: logTails === undefined ? status : withTails(status, logTails) };
}

/** ACI needs a moment to show the end, and a burst of ends is spread over what ARM grants. */
const settleInMs = (random: number): number => timing.settleMs * (1 + random);
