import { isLivingPod, isTerminalPhase } from '../kubernetes/pod.ts';
import { containerEvents } from '../pod-events/container-events.ts';
import { podStatusFromGroup, withRelaySilence } from '../status/status.ts';
import { groupAsRemembered } from './heard.ts';
import { createEvent, forPods, idle, inMs, patch, wait } from './rule.ts';
import { timing } from './timing.ts';
import type { Observed } from './observed.ts';
import type { PodRow } from './pod-row.ts';
import type { Pod } from '../kubernetes/pod.ts';

/** Whether what agents have said is enough for the pod's status, without a read of ARM. Of a pod that is being ended it is not. */
export const suffices = (pod: Pod, row: PodRow): boolean =>
  isLivingPod(pod) && row.agent?.drain === undefined && groupAsRemembered(pod, row) !== undefined;

/** What agents report becomes the pod's status within the invocation that hears it. */
export const heardRules = forPods(isLivingPod, [
  {
    reason: 'heard',
    message: 'The agents in the group have spoken, and the status is theirs, without a read of ARM',
    judge: (observed, pod) => {
      if (observed.correcting?.isHeard !== true) return undefined;
      const { row, facts, now, policy } = observed;
      const group = groupAsRemembered(pod, row);
      if (group === undefined) return wait(inMs(timing.soonMs));
      const found = podStatusFromGroup({ pod, group, hostIP: facts.hostIP, now });
      const status = withRelaySilence(pod, found, policy.relaySilence, row.agent?.expected);
      const events = containerEvents({ pod, status, group, now }).map(createEvent);
      const next = isTerminalPhase(status.phase) ? inMs(settleInMs(policy.random)) : planned(observed);
      return { effects: [...events, ...patch(pod, status)], row: {}, next };
    },
  },
]);

/** ACI needs a moment to show the end, and a burst of ends is spread over what ARM grants. */
const settleInMs = (random: number): number => timing.settleMs * (1 + random);

const planned = ({ correcting, now }: Observed) =>
  correcting?.plannedAt === undefined ? idle : inMs(Math.max(0, correcting.plannedAt - now));
