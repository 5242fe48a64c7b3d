import {
  deadlineExceededMessage,
  deadlineStatus,
  groupCondition,
  podStatusFromGroup,
  showsEnd,
} from '../status/status.ts';
import { observedContainer } from '../group/observed-container.ts';
import { isTerminalPhase } from '../kubernetes/pod.ts';
import type { Pod } from '../kubernetes/pod.ts';
import { podEvents } from '../pod-events/table.ts';
import { waitForAnyPut } from './absent-pod.ts';
import { drainStage, sayDrain } from './drain.ts';
import type { DrainStage } from './drain.ts';
import { deleteGroup, groupThatIs, stopGroup, wasSent } from './end-group.ts';
import { keepLog } from './keep-log.ts';
import { asHeard } from './heard.ts';
import { again, idle, inMs, patch, createEvent, wait } from './rule.ts';
import type { PodRule } from './rule.ts';
import { timing } from './timing.ts';
import type { Effect, Observed } from './observed.ts';

const exceeded = createEvent(podEvents.deadlineExceeded.of(deadlineExceededMessage));

/** A pod past its `activeDeadlineSeconds` is ended; then it is Failed. */
export const deadlineRules: readonly PodRule[] = [
  {
    reason: 'deadline-stop-was-sent',
    message: 'activeDeadlineSeconds is over; ARM has taken the stop and still shows the containers running',
    judge: (observed, pod) =>
      isPast(observed, pod) && conditionOf(observed) === 'running' && wasSent(observed, 'stop')
        ? wait(inMs(timing.deleteConfirmMs))
        : undefined,
  },
  {
    reason: 'deadline-drained',
    message: 'activeDeadlineSeconds is over, the programs have ended, and how is known',
    judge: (observed, pod) => {
      const stage = drainOf(observed, pod);
      if (stage?.kind !== 'ended') return undefined;
      const status = deadlineStatus({ pod, group: stage.group, now: observed.now });
      return { effects: [exceeded, ...patch(pod, status)], row: {}, next: inMs(timing.settleMs) };
    },
  },
  {
    reason: 'deadline-drain',
    message: 'activeDeadlineSeconds is over, so the agents are asked to end their programs within the grace of the pod',
    judge: (observed, pod) => {
      const stage = drainOf(observed, pod);
      return stage?.kind === 'say' ? { effects: [exceeded, ...sayDrain(stage)], row: {}, next: again } : undefined;
    },
  },
  {
    reason: 'deadline-draining',
    message:
      'activeDeadlineSeconds is over; the agents end their programs, and how is waited for, within the grace of the pod',
    judge: (observed, pod) => {
      const stage = drainOf(observed, pod);
      return stage?.kind === 'wait' ? wait(inMs(stage.ms)) : undefined;
    },
  },
  {
    reason: 'deadline-stop',
    message: 'activeDeadlineSeconds is over, so the containers are ended',
    judge: (observed, pod) =>
      isPast(observed, pod) && conditionOf(observed) === 'running'
        ? stopGroup(observed, [...report(observed, pod), ...keepLog(observed, pod), exceeded])
        : undefined,
  },
  {
    reason: 'deadline-delete',
    message: 'activeDeadlineSeconds is over before the group was made',
    judge: (observed, pod) =>
      isPast(observed, pod) && conditionOf(observed) === 'provisioning'
        ? deleteGroup(observed, [...keepLog(observed, pod), exceeded])
        : undefined,
  },
  {
    reason: 'put-may-be-in-flight',
    message: 'activeDeadlineSeconds is over, and a PUT for the pod may still land',
    judge: (observed, pod) =>
      isPast(observed, pod) && observed.sight.kind !== 'seen' ? waitForAnyPut(observed) : undefined,
  },
  {
    reason: 'deadline',
    message: 'activeDeadlineSeconds is over and nothing runs',
    judge: (observed, pod) => {
      if (!isPast(observed, pod)) return undefined;
      const group = observed.sight.kind === 'seen' ? asHeard(observed, pod, observed.sight.group) : undefined;
      const status = deadlineStatus({ pod, group, now: observed.now });
      return { effects: [exceeded, ...patch(pod, status)], row: { settled: true }, next: idle };
    },
  },
];

/** Time until `activeDeadlineSeconds` after `status.startTime` is over; undefined without a deadline. */
export function deadlineInMs({ now }: Observed, pod: Pod): number | undefined {
  const started = Date.parse(pod.status.startTime ?? '');
  if (pod.spec.activeDeadlineSeconds === undefined || !Number.isFinite(started)) return undefined;
  return started + pod.spec.activeDeadlineSeconds * 1000 - now;
}

function isPast(observed: Observed, pod: Pod): boolean {
  const leftMs = deadlineInMs(observed, pod);
  return leftMs !== undefined && leftMs <= 0 && !endedBefore(observed, pod, observed.now + leftMs);
}

/** Between two polls a pod may have ended in time; then its own end counts. */
function endedBefore({ row, sight, facts, now }: Observed, pod: Pod, deadline: number): boolean {
  if (sight.kind !== 'seen' || groupCondition(sight.group) === 'stopped') return false;
  const group = asHeard({ row }, pod, sight.group);
  if (!showsEnd(group, pod)) return false;
  const status = podStatusFromGroup({ pod, group, hostIP: facts.hostIP, now });
  // A sidecar ends after the others.
  const finished = pod.spec.containers.map(({ name }) =>
    Date.parse(observedContainer(group, { member: 'containers', name })?.instanceView?.currentState?.finishTime ?? ''),
  );
  return isTerminalPhase(status.phase) && finished.every((at) => at <= deadline);
}

function drainOf(observed: Observed, pod: Pod): DrainStage | undefined {
  const group = groupThatIs(observed, 'running');
  if (group === undefined || !isPast(observed, pod)) return undefined;
  const graceMs = pod.spec.terminationGracePeriodSeconds * 1000;
  return drainStage(observed, pod, { group, until: (since) => (graceMs > 0 ? since + graceMs : undefined) });
}

const conditionOf = ({ sight }: Observed) => (sight.kind === 'seen' ? groupCondition(sight.group) : undefined);

function report({ row, sight, facts, now }: Observed, pod: Pod): readonly Effect[] {
  if (sight.kind !== 'seen') return [];
  const group = asHeard({ row }, pod, sight.group);
  return patch(pod, podStatusFromGroup({ pod, group, hostIP: facts.hostIP, now }), group);
}
