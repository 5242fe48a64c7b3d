import { describeFault } from '../fault.ts';
import type { Fault } from '../fault.ts';
import { allocate, toGroupResources } from '../pod/resources.ts';
import { podEvents } from '../pod-events/table.ts';
import { readinessEvents } from '../pod-events/readiness-events.ts';
import { correctedStatus, pendingStatus, withRelaySilence } from '../status/status.ts';
import { drainUnsaidRule } from './drain.ts';
import { giveUp } from './keep-log.ts';
import { heardRules } from './heard-rule.ts';
import { pollInMs } from './next-poll.ts';
import { failPod, isOutOfPatience, keepPending, refuse } from './put-group.ts';
import { inPullWords } from './pull-words.ts';
import { makeRoom, readPutFault } from './refusal.ts';
import type { PutVerdict } from './refusal.ts';
import { again, asPlanned, backoff, forPods, idle, inMs, patch, createEvent, wait } from './rule.ts';
import type { PodRule, Rule } from './rule.ts';
import { timing } from './timing.ts';
import type { Call, Effect, Next, Observed, Outcome, Plan } from './observed.ts';
import { defined } from '../defined.ts';

/** How often a status is decided again because somebody else wrote the pod meanwhile. */
const mostConflicts = 3;

export const outOfTime: Fault = { kind: 'transient', message: 'out of time: the lock or the invocation ends' };

const termRules: readonly Rule[] = [
  {
    reason: 'row-lost',
    message: 'The row is gone or another instance has it, so this one stops',
    judge: ({ outcome, lastPut }) =>
      outcome?.kind === 'row-lost' ? { effects: latePut(lastPut), row: {}, next: { kind: 'leave' } } : undefined,
  },
  {
    reason: 'correction-failed',
    message: 'The conditions could not be fixed, so everything is polled',
    judge: ({ correcting, outcome }) =>
      correcting !== undefined && outcome !== undefined ? wait(inMs(timing.soonMs)) : undefined,
  },
  {
    reason: 'out-of-time',
    message: 'Too little of the lock or of the invocation is left for another call',
    judge: ({ outcome }) => (outcome?.kind === 'out-of-time' ? stop(outOfTime, backoff) : undefined),
  },
];

const statusRules: readonly Rule[] = [
  {
    reason: 'status-conflict-after-put',
    message:
      'Somebody else wrote the pod after its group was PUT: the next poll decides, not the one of before the PUT',
    judge: ({ sight, ...observed }) =>
      sight.kind === 'put' && isStatusConflict(observed) ? wait(inMs(timing.soonMs)) : undefined,
  },
  {
    reason: 'status-conflicts',
    message: 'Somebody else wrote the pod each time its status was to be written',
    judge: (observed) =>
      isStatusConflict(observed) && observed.statusConflicts > mostConflicts ? wait(inMs(timing.soonMs)) : undefined,
  },
  {
    reason: 'status-conflict',
    message: 'Somebody else wrote the pod: it is read and decided again, without another poll of the group',
    judge: (observed) =>
      isStatusConflict(observed) ? { effects: [{ kind: 'read-pod' }], row: {}, next: again } : undefined,
  },
  {
    reason: 'status-denied',
    message: 'The node may not write the status of this pod, or not yet',
    judge: (observed) => {
      const fault = failureOf(observed, 'patch-status');
      if (fault?.kind !== 'denied') return undefined;
      return stop(fault, inMs(isFreshlyBound(observed) ? timing.soonMs : timing.authorizerLagMs));
    },
  },
];

const referenceRules: readonly PodRule[] = [
  {
    reason: 'references-not-yet',
    message: 'The Node authorizer does not know yet that the pod is bound to this node',
    judge: (observed) => {
      const fault = failureOf(observed, 'read-references');
      return fault?.kind === 'denied' && isFreshlyBound(observed) ? stop(fault, inMs(timing.soonMs)) : undefined;
    },
  },
  {
    reason: 'references-denied',
    message: 'The node may not read what the pod refers to',
    judge: (observed, pod) => {
      const fault = failureOf(observed, 'read-references');
      if (fault?.kind !== 'denied') return undefined;
      const cause = { reason: 'CreateContainerConfigError', message: describeFault(fault) };
      return keepPending(observed, pod, { ...cause, next: backoff });
    },
  },
];

/** Of a group that ARM has just taken. */
const justAccepted = { stage: 'provisioning', acceptedForMs: 0, runningForMs: undefined } as const;

const putOutcomeRules: readonly PodRule[] = [
  {
    reason: 'put-accepted',
    message: 'ARM has taken the group',
    judge: (observed, pod) => {
      const { outcome, at, row, facts } = observed;
      if (outcome?.kind !== 'put-accepted') return undefined;
      const { operationUrl } = outcome;
      const intent = { kind: 'accepted', at, ...defined({ operationUrl }) } as const;
      const created = createEvent(podEvents.created.of(row.group, toGroupResources(allocate(pod).total)));
      const reason = pod.spec.initContainers.length > 0 ? 'PodInitializing' : 'ContainerCreating';
      const status = pendingStatus({ pod, reason, hostIP: facts.hostIP, now: at });
      return {
        effects: [{ kind: 'save-row', row: { intent } }, ...noteTaken(observed), created, ...patch(pod, status)],
        row: waitsToComeUp(observed),
        next: inMs(pollInMs(observed, pod, justAccepted)),
      };
    },
  },
  {
    reason: 'put-unknown',
    message: 'Nobody knows what became of the PUT: the intent stays open, and a poll says',
    judge: (observed) => {
      const refused = putRefusal(observed);
      return refused?.verdict.kind === 'unknown' ? stop(refused.fault, inMs(timing.unknownPollMs)) : undefined;
    },
  },
  {
    reason: 'put-refused-for-good',
    message: 'ARM says that it can never take this group',
    judge: (observed, pod) => {
      const verdict = putRefusal(observed)?.verdict;
      return verdict?.kind === 'failed' ? afterRefusal(observed, refuse(observed, pod, verdict)) : undefined;
    },
  },
  {
    reason: 'out-of-patience',
    message: 'There has been no capacity for longer than ON_CAPACITY_FAIL_AFTER_MINUTES',
    judge: (observed, pod) => {
      const verdict = putRefusal(observed)?.verdict;
      if (verdict?.kind !== 'pending' || !verdict.capacity || !isOutOfPatience(observed, pod)) return undefined;
      const { message } = verdict;
      return afterRefusal(observed, failPod(observed, pod, { reason: 'OutOfcpu', message }, []));
    },
  },
  {
    reason: 'put-throttled',
    message: "The PUT waits for ARM's rate limit",
    judge: (observed) => {
      const refused = putRefusal(observed);
      if (refused?.fault.kind !== 'throttled') return undefined;
      // No call follows, so the row says it when the term ends.
      const row =
        observed.row.intent.kind === 'open' ? ({ intent: { kind: 'refused', at: observed.at } } as const) : {};
      return { ...stop(refused.fault, inMs(refused.fault.retryAfterMs)), row };
    },
  },
  {
    reason: 'put-refused',
    message: 'ARM did not take the group now; the pod stays Pending',
    judge: (observed, pod) => {
      const verdict = putRefusal(observed)?.verdict;
      if (verdict?.kind !== 'pending') return undefined;
      const room = verdict.capacity ? makeRoom(verdict.message) : [];
      const plan = keepPending(observed, pod, { ...verdict, ...inPullWords(observed, pod, verdict), next: backoff });
      return afterRefusal(observed, { ...plan, effects: [...room, ...plan.effects] });
    },
  },
];

const endOutcomeRules: readonly Rule[] = [
  {
    reason: 'group-in-transition',
    message: 'ARM refuses to end a group in transition; it is tried again',
    judge: (observed) => {
      const fault = failureOf(observed, 'stop-group') ?? failureOf(observed, 'delete-group');
      return fault?.kind === 'conflict' ? stop(fault, inMs(timing.transitionMs)) : undefined;
    },
  },
  {
    reason: 'log-not-kept',
    message: 'The log could not be kept before the group goes',
    judge: (observed) => {
      const fault = failureOf(observed, 'keep-log');
      return fault === undefined ? undefined : afterLogFault(observed, fault);
    },
  },
  drainUnsaidRule,
  {
    reason: 'call-failed',
    message: 'A call failed; it is made again later',
    judge: ({ outcome }) => (outcome?.kind === 'failed' ? stop(outcome.fault, later(outcome.fault)) : undefined),
  },
];

/** What follows from what a call came to. */
export const outcomeRules: readonly Rule[] = [
  ...termRules,
  ...statusRules,
  ...forPods(() => true, [...referenceRules, ...putOutcomeRules]),
  ...endOutcomeRules,
  ...heardRules,
  {
    reason: 'conditions-corrected',
    message:
      "Only the pod's own conditions were at odds with its containers, or their readiness with what was reported",
    judge: ({ correcting, pod, row, now, policy }) => {
      if (correcting === undefined || pod === undefined) return undefined;
      const { reports = [] } = correcting;
      const next = asPlanned(correcting, now);
      const events = readinessEvents(pod, reports).map(createEvent);
      // What reports has called.
      const silence = reports.length > 0 ? undefined : policy.relaySilence;
      const status = withRelaySilence(pod, correctedStatus(pod, now, reports), silence, row.agent?.expected);
      return { effects: [...events, ...patch(pod, status)], row: {}, next };
    },
  },
];

/** A PUT may have taken effect after another's: who has the row now must not go by what was seen before. */
function latePut(put: Outcome | undefined): readonly Effect[] {
  if (put?.kind === 'put-accepted') return [{ kind: 'report-late-put', isAccepted: true }];
  const isUnknown = put?.kind === 'failed' && readPutFault(put.fault).kind === 'unknown';
  return isUnknown ? [{ kind: 'report-late-put', isAccepted: false }] : [];
}

const stop = (fault: Fault, next: Next): Plan => ({ effects: [], row: {}, next, fault });

/** Retry-After is honoured; everything else backs off. */
const later = (fault: Fault): Next => (fault.kind === 'throttled' ? inMs(fault.retryAfterMs) : backoff);

/** Without its log a group that only makes room stays; one that must be ended waits a while, where waiting may help. */
function afterLogFault(observed: Observed, fault: Fault): Plan {
  const { row, at } = observed;
  const why = describeFault(fault);
  if (row.freeing) {
    const event = createEvent(
      podEvents.logNotKept.of(
        `Container group ${row.group} stays, though its quota is needed: its log could not be kept: ${why}`,
      ),
    );
    return { ...stop(fault, idle), effects: [event], row: { freeing: false, keptLog: { kind: 'given-up' } } };
  }
  if (fault.kind === 'rejected') return { effects: giveUp(observed, why), row: {}, next: again };
  const since = row.keptLog?.kind === 'trying' ? row.keptLog.since : at;
  const waitMs = fault.kind === 'throttled' ? fault.retryAfterMs : timing.keepLogRetryMs;
  const leftMs = Math.max(timing.soonMs, since + timing.keepLogMs - at);
  return { ...stop(fault, inMs(Math.min(waitMs, leftMs))), row: { keptLog: { kind: 'trying', since, fault: why } } };
}

const failureOf = ({ outcome }: Pick<Observed, 'outcome'>, call: Call): Fault | undefined =>
  outcome?.kind === 'failed' && outcome.call === call ? outcome.fault : undefined;

function isStatusConflict(observed: Pick<Observed, 'outcome'>): boolean {
  const fault = failureOf(observed, 'patch-status');
  return fault?.kind === 'conflict' || fault?.kind === 'not-found';
}

function putRefusal(observed: Observed): { readonly fault: Fault; readonly verdict: PutVerdict } | undefined {
  const fault = failureOf(observed, 'put-group');
  return fault === undefined ? undefined : { fault, verdict: readPutFault(fault) };
}

/** Nothing was created: written down first, so that the next PUT need not wait out the open intent. */
const afterRefusal = (observed: Observed, plan: Plan): Plan => ({
  ...plan,
  effects: [
    { kind: 'save-row', row: { intent: { kind: 'refused', at: observed.at } } },
    ...noteRefusal(observed),
    ...plan.effects,
  ],
});

function noteRefusal(observed: Observed): readonly Effect[] {
  const verdict = putRefusal(observed)?.verdict;
  const { row, policy, capacity } = observed;
  if (verdict?.kind !== 'pending' || !verdict.capacity)
    return capacity === undefined ? [] : [{ kind: 'note-capacity', event: { kind: 'released', uid: row.uid } }];
  const said = { seenAt: 'put', message: verdict.message, random: policy.random } as const;
  return [{ kind: 'note-capacity', event: { kind: 'refused', uid: row.uid, ...said } }];
}

const noteTaken = ({ capacity, row }: Observed): readonly Effect[] =>
  capacity === undefined ? [] : [{ kind: 'note-capacity', event: { kind: 'taken', uid: row.uid } }];

/** Where only a group that has come up shows room, its pod must be known then as one that had asked. */
const waitsToComeUp = ({ capacity }: Observed): Plan['row'] =>
  capacity?.seenAt === 'group' ? { fault: { reason: 'ProviderCapacity', message: capacity.message } } : {};

/** The Node authorizer's graph may lag: a 403 so soon after the binding passes. */
function isFreshlyBound({ pod, at }: Observed): boolean {
  const scheduled = pod?.status.conditions.find(({ type }) => type === 'PodScheduled')?.lastTransitionTime;
  const since = Date.parse(scheduled ?? pod?.metadata.creationTimestamp ?? '');
  return Number.isFinite(since) && at - since < timing.authorizerLagMs;
}
