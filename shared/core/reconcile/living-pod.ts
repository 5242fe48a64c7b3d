import { containerEvents } from '../pod-events/container-events.ts';
import { podEvents } from '../pod-events/table.ts';
import { troubleEvents } from '../pod-events/trouble.ts';
import {
  lostStatus,
  pendingStatus,
  podStatusFromGroup,
  withRelaySilence,
  provisioningFault,
  wantedTails,
  withTails,
} from '../status/status.ts';
import { agentSilenceInMs, agentSilenceRule, silenceEvents } from './agent-silence.ts';
import { acceptedIntent, deleteGroup, groupThatIs } from './end-group.ts';
import { deadlineRules } from './deadline.ts';
import { keepLogOfEnded } from './keep-log.ts';
import { lateChanges } from './late-changes.ts';
import { asHeard, rememberAgents } from './heard.ts';
import { isSpotPod, isTakenBack } from './spot.ts';
import { pollInMs } from './next-poll.ts';
import { putRules } from './put-group.ts';
import { inPullWords } from './pull-words.ts';
import { makeRoom } from './refusal.ts';
import { again, backoff, forPods, idle, inMs, patch, createEvent, wait } from './rule.ts';
import type { PodRule } from './rule.ts';
import { timing } from './timing.ts';
import type { GroupObservation } from '../group/group.ts';
import { hasStarted, isLivingPod, isTerminalPhase } from '../kubernetes/pod.ts';
import type { Pod, PodStatus } from '../kubernetes/pod.ts';
import type { Effect, Observed, Plan } from './observed.ts';

const foreignRule: PodRule = {
  reason: 'foreign-group',
  message: 'A group of this name exists with the tags of another owner; nothing of it is touched',
  judge: ({ sight, row }) =>
    sight.kind === 'foreign'
      ? {
          effects: [createEvent(podEvents.groupNameTaken.of(row.group))],
          row: {},
          next: inMs(timing.foreignMs),
        }
      : undefined,
};

/** What its group shows becomes the pod's status. */
const seenRules: readonly PodRule[] = [
  agentSilenceRule,
  {
    reason: 'end-of-log-unread',
    message: 'A container has failed, and its termination message is to be the end of its log',
    judge: (observed, pod) => {
      // An agent may report an end before ARM calls the group provisioned.
      const group = groupThatIs(observed, 'provisioning', 'running', 'ended');
      if (group === undefined || observed.logTails !== undefined) return undefined;
      const containers = wantedTails(pod, statusOf(observed, pod, group));
      return containers.length === 0
        ? undefined
        : { effects: [{ kind: 'read-log-tails', containers }], row: {}, next: again };
    },
  },
  {
    reason: 'provisioning',
    message: 'The group is being made',
    judge: (observed, pod) => {
      const group = groupThatIs(observed, 'provisioning');
      return group === undefined ? undefined : report(observed, pod, group);
    },
  },
  {
    reason: 'running',
    message: 'The group runs',
    judge: (observed, pod) => {
      const group = groupThatIs(observed, 'running');
      if (group === undefined) return undefined;
      // A fault stays until its group has come up: the next one may fail in the same way.
      const plan = report(observed, pod, group);
      const effects = [...plan.effects, ...noteCameUp(observed)];
      return { ...plan, effects, row: { ...plan.row, fault: undefined } };
    },
  },
  {
    reason: 'finished',
    message: 'All containers have ended for good',
    judge: (observed, pod) => {
      const group = groupThatIs(observed, 'ended');
      const status = group === undefined ? undefined : statusOf(observed, pod, group);
      return group !== undefined && status !== undefined && isTerminalPhase(status.phase)
        ? {
            effects: [...show(observed, pod, { group, status }), ...noteCameUp(observed)],
            row: { ...adopted(observed), fault: undefined, settled: true },
            next: idle,
          }
        : undefined;
    },
  },
  {
    reason: 'spot-taken-back',
    message: 'Azure took the capacity of a Spot group back, and starts it no more',
    judge: (observed, pod) => {
      const group = groupThatIs(observed, 'ended');
      return group !== undefined && isTakenBack(observed, pod, group) ? replaceLost(observed, pod) : undefined;
    },
  },
  {
    reason: 'between-restarts',
    message: 'The containers have ended and will be started again',
    judge: (observed, pod) => {
      const group = groupThatIs(observed, 'ended');
      return group === undefined
        ? undefined
        : {
            effects: [
              ...show(observed, pod, { group, status: statusOf(observed, pod, group) }),
              ...noteCameUp(observed),
            ],
            row: { ...adopted(observed), fault: undefined, settled: false },
            next: inMs(planPoll(observed, pod, group)),
          };
    },
  },
  {
    reason: 'stopped-by-somebody',
    message: 'The group was stopped outside of Kubernetes',
    judge: (observed, pod) => {
      const group = groupThatIs(observed, 'stopped');
      return group === undefined ? undefined : replaceLost(observed, pod);
    },
  },
  {
    reason: 'failed-after-start',
    message: 'The group failed after its containers had started',
    judge: (observed, pod) => {
      const group = groupThatIs(observed, 'failed-to-provision');
      return group !== undefined && hasRun(group) ? replaceLost(observed, pod) : undefined;
    },
  },
  {
    reason: 'failed-to-provision',
    message: 'The group never came up; a new one is tried, later each time',
    judge: (observed, pod) => {
      const group = groupThatIs(observed, 'failed-to-provision');
      return group === undefined ? undefined : replaceUnprovisioned(observed, pod, group);
    },
  },
];

/** An accepted group answers 404: somebody deleted it, unless ARM's reads lag. Two reads apart decide. */
const vanishedRules: readonly PodRule[] = [
  {
    reason: 'group-not-found',
    message: 'The accepted group answers 404; a second read, later, decides',
    judge: (observed, pod) => {
      if (!isMissing(observed, pod)) return undefined;
      const since = observed.row.absentSince ?? observed.now;
      const waitMs = absenceConfirmedAt(observed) - observed.now;
      return waitMs > 0 ? wait(inMs(waitMs), { absentSince: since }) : undefined;
    },
  },
  {
    reason: 'group-lost',
    message: 'The accepted group was deleted outside of Kubernetes',
    judge: (observed, pod) => {
      if (!isMissing(observed, pod)) return undefined;
      const { status, event } = lost(observed, pod);
      const effects = [...patch(pod, status), event];
      return isTerminalPhase(status.phase)
        ? { effects, row: { settled: true }, next: idle }
        : { effects, row: { intent: { kind: 'deleted', at: observed.now }, absentSince: undefined }, next: again };
    },
  },
];

/** A pod that is to run: create its group, or report what it does. */
export const livingPodRules = forPods(isLivingPod, [
  ...deadlineRules,
  foreignRule,
  ...seenRules,
  ...vanishedRules,
  ...putRules,
]);

const statusOf = ({ row, facts, now, logTails, policy }: Observed, pod: Pod, group: GroupObservation): PodStatus => {
  const found = podStatusFromGroup({ pod, group: asHeard({ row, policy }, pod, group), hostIP: facts.hostIP, now });
  const status = withRelaySilence(pod, found, policy.relaySilence, row.agent?.expected);
  return logTails === undefined ? status : withTails(status, logTails);
};

interface Shown {
  readonly group: GroupObservation;
  readonly status: PodStatus;
}

/** Events go first: they are written beside the status, and what is not yet in it is reported once more after a crash. */
const show = ({ now, row, policy }: Observed, pod: Pod, { group, status }: Shown): readonly Effect[] => [
  ...containerEvents({ pod, status, group: asHeard({ row, policy }, pod, group), now }).map(createEvent),
  ...patch(pod, status, group),
];

/** The group was seen, so it was accepted; its tags say whose agents are heard, whatever the rows have lost. */
const adopted = ({ row, now, sight }: Observed): Plan['row'] => ({
  absentSince: undefined,
  intent: acceptedIntent(row.intent, now),
  ...(sight.kind === 'seen' && rememberAgents(row, sight.group)),
});

function report(observed: Observed, pod: Pod, group: GroupObservation): Plan {
  return {
    effects: [
      ...show(observed, pod, { group, status: statusOf(observed, pod, group) }),
      ...lateChanges(pod, group),
      ...silenceEvents(observed, pod),
    ],
    row: adopted(observed),
    next: inMs(Math.min(planPoll(observed, pod, group), agentSilenceInMs(observed, group))),
  };
}

/** A pod that had waited for capacity runs, or has run: there is room again. */
const noteCameUp = ({ row }: Observed): readonly Effect[] =>
  row.fault?.reason === 'ProviderCapacity' ? [{ kind: 'note-capacity', event: { kind: 'came-up', uid: row.uid } }] : [];

const hasRun = ({ containers }: GroupObservation): boolean =>
  containers.some(({ instanceView }) => instanceView?.currentState?.startTime !== undefined);

/** Nothing ran, so the pod stays Pending. */
function replaceUnprovisioned(observed: Observed, pod: Pod, group: GroupObservation): Plan {
  const fault = provisioningFault(group, observed.operation) ?? {
    reason: 'ProviderFailed',
    message: 'The container group could not be provisioned',
    kind: 'unknown',
  };
  const { kind } = fault;
  const { reason, message } = inPullWords(observed, pod, fault);
  const { facts, now, row, policy } = observed;
  const status = pendingStatus({ pod, reason, message, hostIP: facts.hostIP, now });
  const refused = { kind: 'refused', uid: row.uid, seenAt: 'group', message, random: policy.random } as const;
  const noted: readonly Effect[] =
    kind === 'capacity' ? [{ kind: 'note-capacity', event: refused }, ...makeRoom(message)] : [];
  const events = troubleEvents(pod, { reason, message }).map(createEvent);
  const plan = deleteGroup(observed, [...events, ...patch(pod, status), ...noted]);
  return { ...plan, row: { ...plan.row, fault: { reason, message } }, next: backoff };
}

/** What ran is over and its end unknown (137). `Never` is never PUT again; the others get a new group. */
function replaceLost(observed: Observed, pod: Pod): Plan {
  const { status, event } = lost(observed, pod);
  const kept = keepLogOfEnded(observed, pod, status);
  const plan = deleteGroup(observed, [...patch(pod, status), event, ...kept]);
  return isTerminalPhase(status.phase) ? { ...plan, row: { ...plan.row, settled: true }, next: idle } : plan;
}

function lost({ row, now }: Observed, pod: Pod): { readonly status: PodStatus; readonly event: Effect } {
  const isSpot = isSpotPod(pod);
  return { status: lostStatus({ pod, now, isSpot }), event: createEvent(podEvents.groupLost.of(row.group, isSpot)) };
}

/** The API server may show a container past waiting: then its group was accepted, whatever the rows have lost or do not say yet. */
function isMissing({ sight, row: { intent } }: Observed, pod: Pod): boolean {
  if (sight.kind !== 'absent') return false;
  switch (intent.kind) {
    case 'accepted':
      return intent.replacing !== true;
    case 'open':
      return intent.replaces !== true && hasStarted(pod);
    case 'none':
      return hasStarted(pod);
    case 'refused':
    case 'deleted':
      return false;
  }
}

function absenceConfirmedAt({ row, now }: Observed): number {
  const since = row.absentSince ?? now;
  const acceptedAt = row.intent.kind === 'accepted' ? row.intent.at : since - timing.absenceAfterAcceptMs;
  return Math.max(since + timing.absenceConfirmMs, acceptedAt + timing.absenceAfterAcceptMs);
}

function planPoll(observed: Observed, pod: Pod, group: GroupObservation): number {
  const states = group.containers.map((container) => container.instanceView?.currentState);
  const running = states.filter((state) => state?.state === 'Running');
  const starts = running.map((state) => Date.parse(state?.startTime ?? '')).filter(Number.isFinite);
  const restarting = group.containers.some(
    (container) => container.instanceView?.currentState?.state === 'Waiting' && container.instanceView.restartCount > 0,
  );
  const { intent } = observed.row;
  return pollInMs(observed, pod, {
    stage: restarting ? 'restarting' : running.length < group.containers.length ? 'provisioning' : 'running',
    acceptedForMs: intent.kind === 'accepted' ? observed.now - intent.at : 0,
    runningForMs: starts.length === 0 ? undefined : observed.now - Math.max(...starts),
  });
}
