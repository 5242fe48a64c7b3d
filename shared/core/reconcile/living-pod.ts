import {
  deadlineExceededMessage,
  deadlineStatus,
  groupCondition,
  lostStatus,
  pendingStatus,
  podStatusFromGroup,
  provisioningFault,
  showsEnd,
  statusToWrite,
} from '../status/status.ts';
import { groupIsGoing, putWaitMs } from './absent-pod.ts';
import { lateChanges } from './late-changes.ts';
import { nextLookMs } from './look-plan.ts';
import { timing } from './timing.ts';
import type { GroupObservation } from '../group/group.ts';
import type { Pod, PodStatus } from '../kubernetes/pod.ts';
import { isTerminalPhase } from '../kubernetes/pod.ts';
import type { Decision, Effect, Observed } from './observed.ts';
import type { Intent, PodRow } from './pod-row.ts';

/** A pod that is to run: create its group, or report what it does. */
export function decideLivingPod(observed: Observed, pod: Pod): Decision {
  const leftMs = deadlineInMs(observed, pod);
  if (leftMs !== undefined && leftMs <= 0 && !endedBefore(observed, pod, observed.now + leftMs))
    return decideDeadline(observed, pod);
  switch (observed.sight.kind) {
    case 'seen':
      return decideSeen(observed, pod, observed.sight.group);
    case 'foreign':
      return {
        reason: 'foreign-group',
        effects: [
          warn(
            'GroupNameTaken',
            `Container group ${observed.row.group} exists with the tags of another owner; remove it or change INSTALLATION`,
          ),
        ],
        row: {},
        next: { kind: 'in', ms: timing.foreignMs },
      };
    case 'absent':
    case 'unread':
      return decideAbsentGroup(observed, pod);
  }
}

/** Time until `activeDeadlineSeconds` after `status.startTime` is over; undefined without a deadline. */
function deadlineInMs(observed: Observed, pod: Pod): number | undefined {
  const started = Date.parse(pod.status.startTime ?? '');
  if (pod.spec.activeDeadlineSeconds === undefined || !Number.isFinite(started)) return undefined;
  return started + pod.spec.activeDeadlineSeconds * 1000 - observed.now;
}

/** Between two looks a pod may have ended in time; then its own end counts. */
function endedBefore({ sight, policy, now }: Observed, pod: Pod, deadline: number): boolean {
  if (sight.kind !== 'seen' || groupCondition(sight.group) === 'stopped' || !showsEnd(sight.group, pod)) return false;
  const status = podStatusFromGroup({ pod, group: sight.group, hostIP: policy.hostIP, now });
  const finished = sight.group.containers.map((container) =>
    Date.parse(container.instanceView?.currentState?.finishTime ?? ''),
  );
  return isTerminalPhase(status.phase) && finished.every((at) => at <= deadline);
}

function decideDeadline(observed: Observed, pod: Pod): Decision {
  const { sight } = observed;
  const event: Effect = {
    kind: 'create-event',
    type: 'Normal',
    reason: 'DeadlineExceeded',
    message: deadlineExceededMessage,
  };
  const group = sight.kind === 'seen' ? sight.group : undefined;
  const condition = group === undefined ? undefined : groupCondition(group);
  if (condition === 'running')
    return {
      reason: 'deadline-stop',
      effects: [...report(observed, pod, group), event, { kind: 'stop-group' }],
      row: {},
      next: { kind: 'again' },
    };
  if (condition === 'provisioning')
    return { reason: 'deadline-delete', effects: [event, { kind: 'delete-group' }], row: {}, next: { kind: 'again' } };
  if (condition === 'deleting') return groupIsGoing;
  const waitMs = putWaitMs(observed.row, observed.now);
  if (group === undefined && waitMs > 0)
    return { reason: 'put-may-be-in-flight', effects: [], row: {}, next: { kind: 'in', ms: waitMs } };
  const status = deadlineStatus({ pod, group, now: observed.now });
  return {
    reason: 'deadline',
    effects: [event, ...patch(pod, status, 'deadline')],
    row: { settled: true },
    next: { kind: 'idle' },
  };
}

function decideSeen(observed: Observed, pod: Pod, group: GroupObservation): Decision {
  const adopted: Partial<PodRow> = {
    absentSince: undefined,
    intent: acceptedIntent(observed.row.intent, observed.now),
  };
  const condition = groupCondition(group);
  switch (condition) {
    case 'provisioning':
    case 'running':
      return {
        reason: condition,
        effects: [...report(observed, pod, group), ...lateChanges(pod, group)],
        // A fault stands until its group has come up: the next one may fail in the same way.
        row: condition === 'running' ? { ...adopted, fault: undefined } : adopted,
        next: { kind: 'in', ms: planLook(observed, pod, group) },
      };
    case 'ended':
      return decideEnded(observed, pod, group, adopted);
    case 'stopped':
      return { ...decideLost(observed, pod, 'stopped-by-somebody', [{ kind: 'delete-group' }]) };
    case 'failed-to-provision':
      return decideUnprovisioned(observed, pod, group);
    case 'deleting':
      return { reason: 'group-is-going', effects: [], row: adopted, next: { kind: 'in', ms: timing.deleteConfirmMs } };
  }
}

function decideEnded(observed: Observed, pod: Pod, group: GroupObservation, adopted: Partial<PodRow>): Decision {
  const status = podStatusFromGroup({ pod, group, hostIP: observed.policy.hostIP, now: observed.now });
  const settled = isTerminalPhase(status.phase);
  return {
    reason: settled ? 'finished' : 'between-restarts',
    effects: patch(pod, status, 'finished'),
    row: { ...adopted, fault: undefined, settled },
    next: settled ? { kind: 'idle' } : { kind: 'in', ms: planLook(observed, pod, group) },
  };
}

/** The group is there but never came up. Nothing ran, so the pod stays Pending and a new group is tried, later each time. */
function decideUnprovisioned(observed: Observed, pod: Pod, group: GroupObservation): Decision {
  const started = group.containers.some((container) => container.instanceView?.currentState?.startTime !== undefined);
  if (started) return decideLost(observed, pod, 'failed-after-start', [{ kind: 'delete-group' }]);
  const fault = provisioningFault(group, observed.operation) ?? {
    reason: 'ProviderFailed',
    message: 'The container group could not be provisioned',
  };
  const status = pendingStatus({
    pod,
    reason: fault.reason,
    message: fault.message,
    hostIP: observed.policy.hostIP,
    now: observed.now,
  });
  return {
    reason: 'failed-to-provision',
    effects: [...patch(pod, status, fault.reason), warn(fault.reason, fault.message), { kind: 'delete-group' }],
    row: { fault: { reason: fault.reason, message: fault.message } },
    next: { kind: 'backoff' },
  };
}

function decideAbsentGroup(observed: Observed, pod: Pod): Decision {
  const { row, now, policy } = observed;
  const accepted = row.intent.kind === 'accepted' && row.intent.replacing !== true;
  if (accepted || (row.intent.kind === 'none' && hasStarted(pod))) return decideVanished(observed, pod);
  const waitMs = putWaitMs(row, now);
  if (waitMs > 0) return { reason: 'put-may-be-in-flight', effects: [], row: {}, next: { kind: 'in', ms: waitMs } };
  const youngMs = policy.bornAt + timing.birthMs - now;
  if (youngMs > 0) return { reason: 'tables-are-young', effects: [], row: {}, next: { kind: 'in', ms: youngMs } };
  if (policy.nodeState === 'removed')
    return { reason: 'node-is-removed', effects: [], row: {}, next: { kind: 'idle' } };
  return { reason: 'create', effects: [{ kind: 'create-group' }], row: {}, next: { kind: 'in', ms: 2_000 } };
}

/** An accepted group answers 404: somebody deleted it, unless ARM's reads lag. Two reads apart decide. */
function decideVanished(observed: Observed, pod: Pod): Decision {
  const { row, now } = observed;
  const since = row.absentSince ?? now;
  const acceptedAt = row.intent.kind === 'accepted' ? row.intent.at : since - timing.absenceAfterAcceptMs;
  const confirmedAt = Math.max(since + timing.absenceConfirmMs, acceptedAt + timing.absenceAfterAcceptMs);
  if (now < confirmedAt)
    return {
      reason: 'group-not-found',
      effects: [],
      row: { absentSince: since },
      next: { kind: 'in', ms: confirmedAt - now },
    };
  return decideLost(observed, pod, 'group-lost', []);
}

/** What ran is over and its end unknown (137). `Never` is never PUT again; the others get a new group. */
function decideLost(observed: Observed, pod: Pod, reason: string, cleanUp: readonly Effect[]): Decision {
  const status = lostStatus({ pod, now: observed.now });
  const event = warn(
    'ContainerGroupLost',
    `Container group ${observed.row.group} was stopped or deleted outside of Kubernetes`,
  );
  const over = isTerminalPhase(status.phase);
  const intent: Intent = { kind: 'deleted', at: observed.now };
  return {
    reason,
    effects: [...patch(pod, status, reason), event, ...cleanUp],
    row: over ? { settled: true } : cleanUp.length === 0 ? { intent, absentSince: undefined } : {},
    next: over ? { kind: 'idle' } : { kind: 'again' },
  };
}

function planLook(observed: Observed, pod: Pod, group: GroupObservation): number {
  const states = group.containers.map((container) => container.instanceView?.currentState);
  const running = states.filter((state) => state?.state === 'Running');
  const starts = running.map((state) => Date.parse(state?.startTime ?? '')).filter(Number.isFinite);
  const restarting = group.containers.some(
    (container) => container.instanceView?.currentState?.state === 'Waiting' && container.instanceView.restartCount > 0,
  );
  const { intent } = observed.row;
  return nextLookMs({
    stage: restarting ? 'restarting' : running.length < group.containers.length ? 'provisioning' : 'running',
    restartPolicy: pod.spec.restartPolicy,
    acceptedForMs: intent.kind === 'accepted' ? observed.now - intent.at : 0,
    runningForMs: starts.length === 0 ? undefined : observed.now - Math.max(...starts),
    deadlineInMs: deadlineInMs(observed, pod),
    endingPods: observed.policy.endingPods,
    random: observed.policy.random,
  });
}

function report(observed: Observed, pod: Pod, group: GroupObservation | undefined): Effect[] {
  if (group === undefined) return [];
  return patch(pod, podStatusFromGroup({ pod, group, hostIP: observed.policy.hostIP, now: observed.now }), 'observed');
}

function patch(pod: Pod, status: PodStatus, reason: string): Effect[] {
  const next = statusToWrite(pod, status);
  return next === undefined ? [] : [{ kind: 'patch-status', status: next, reason }];
}

const warn = (reason: string, message: string): Effect => ({ kind: 'create-event', type: 'Warning', reason, message });

/** The API server already shows a container past waiting: its group was accepted, whatever the rows have lost. */
const hasStarted = (pod: Pod): boolean =>
  pod.status.containerStatuses.some((status) => status.state.kind !== 'waiting' || status.lastState !== undefined);

const acceptedIntent = (intent: Intent, now: number): Intent =>
  intent.kind === 'accepted' ? intent : { kind: 'accepted', at: intent.kind === 'none' ? now : intent.at };
