import { readAgentKey } from '../agent/agent-tags.ts';
import { mayAsk } from '../budget/capacity.ts';
import { defined } from '../defined.ts';
import { lookUpTrouble } from '../image/look-up-trouble.ts';
import type { PullFault } from '../image/look-up-trouble.ts';
import { hasStarted, isDaemonSetPod, isLivingPod } from '../kubernetes/pod.ts';
import type { Pod } from '../kubernetes/pod.ts';
import { imageTrouble } from '../pod/image-trouble.ts';
import type { ImageTrouble } from '../pod/image-trouble.ts';
import { inspectPod } from '../pod/inspect.ts';
import { translatePod } from '../pod/translate.ts';
import type { Translation } from '../pod/translation.ts';
import { repeatEventMs } from '../pod-events/marks.ts';
import type { ContainerRef } from '../pod-events/pod-event.ts';
import { noticeEvent, reasonEvent } from '../pod-events/table.ts';
import { troubleEvents } from '../pod-events/trouble.ts';
import { pendingStatus, rejectedStatus } from '../status/status.ts';
import { waitForBirth, waitForPut } from './absent-pod.ts';
import { deadlineInMs } from './deadline.ts';
import { refusalHoldMs } from './refusal.ts';
import { waitsForPull } from './pull-words.ts';
import { again, backoff, idle, inMs, patch, createEvent, wait } from './rule.ts';
import type { PodRule } from './rule.ts';
import type { Effect, Next, Observed, Plan } from './observed.ts';

/** A pod that is to run and has no group: may one be made, from what, and how (GET before PUT, an intent before both). */
export const putRules: readonly PodRule[] = [
  {
    reason: 'put-may-be-in-flight',
    message: 'An earlier PUT for this pod may still land',
    judge: waitForPut,
  },
  {
    reason: 'tables-are-young',
    message: 'The rows are new: a PUT of before they were lost may still land',
    judge: waitForBirth,
  },
  {
    reason: 'node-is-removed',
    message: 'The node leaves the cluster, so nothing new is made for it',
    judge: ({ policy }) => (policy.nodeState === 'removed' ? wait(idle) : undefined),
  },
  {
    reason: 'pod-refused',
    message: 'ACI can never run this pod as it is',
    judge: (observed, pod) => {
      const { refusal } = inspectPod(pod, observed.facts);
      return refusal === undefined ? undefined : refuse(observed, pod, refusal);
    },
  },
  {
    reason: 'image-unusable',
    message: 'No pull can bring the image: the pod waits for another one',
    judge: (observed, pod) => {
      const trouble = imageTrouble(pod);
      return trouble === undefined ? undefined : waitForImage(observed, pod, trouble);
    },
  },
  {
    reason: 'out-of-patience',
    message: 'There has been no capacity for longer than ON_CAPACITY_FAIL_AFTER_MINUTES',
    judge: (observed, pod) => {
      const message = capacityWait(observed);
      if (message === undefined || !isOutOfPatience(observed, pod)) return undefined;
      return failPod(observed, pod, { reason: 'OutOfcpu', message }, []);
    },
  },
  {
    reason: 'capacity-wait',
    message: 'ARM had no room for groups of this size, and another pod asks for it',
    judge: (observed, pod) => {
      const message = capacityWait(observed);
      if (message === undefined) return undefined;
      return keepPending(observed, pod, { reason: 'ProviderCapacity', message, next: backoff });
    },
  },
  {
    reason: 'references-unread',
    message: 'What the pod refers to is read, as its node',
    judge: ({ references }) =>
      references === undefined ? { effects: [{ kind: 'read-references' }], row: {}, next: again } : undefined,
  },
  {
    reason: 'put',
    message: 'The pod has no group, so one is made',
    judge: (observed, pod) => {
      const { facts, references } = observed;
      return references === undefined ? undefined : putTranslated(observed, pod, translatePod(pod, facts, references));
    },
  },
];

function putTranslated(observed: Observed, pod: Pod, translation: Translation): Plan {
  switch (translation.kind) {
    case 'refused':
      return refuse(observed, pod, translation);
    case 'waiting':
      return translation.pull === undefined
        ? keepPending(observed, pod, { ...translation, next: backoff })
        : waitForRegistry(observed, pod, { pull: translation.pull, container: translation.container });
    case 'group':
      return {
        effects: [
          ...translation.notices.map((notice) => createEvent(noticeEvent(notice))),
          ...askCapacity(observed),
          {
            kind: 'open-intent',
            replaces: hasStarted(pod),
            ...agentsOf(translation),
          },
          { kind: 'put-group', body: translation.body, isRetry: isRetry(observed) },
        ],
        row: {},
        next: again,
      };
  }
}

/** Which key the agents of the group have, and which of them will speak. */
function agentsOf({ body, reporting, liveVolumes }: Extract<Translation, { kind: 'group' }>) {
  const agentKey = readAgentKey(body.tags);
  return agentKey === undefined ? {} : { agentKey, ...defined({ reporting, liveVolumes }) };
}

/** As a kubelet waits for a pull; a registry that names a time is not asked before. */
function waitForRegistry(observed: Observed, pod: Pod, { pull, container }: UnreadImage): Plan {
  const trouble = lookUpTrouble(pull, waitsForPull(observed));
  const next = pull.fault.kind === 'throttled' ? inMs(pull.fault.retryAfterMs) : backoff;
  return keepPending(observed, pod, { ...trouble, ...defined({ container }), next });
}

interface UnreadImage {
  readonly pull: PullFault;
  readonly container: ContainerRef | undefined;
}

/** ARM's sentence, while the pod must wait for the answer that another gets. */
function capacityWait({ capacity, outcome, row, at }: Observed): string | undefined {
  if (capacity === undefined) return undefined;
  if (outcome?.kind === 'not-asked') return capacity.message;
  const may = mayAsk(capacity, { uid: row.uid, now: at });
  return may.kind === 'wait' ? may.message : undefined;
}

const askCapacity = ({ capacity, row }: Observed): readonly Effect[] =>
  capacity === undefined ? [] : [{ kind: 'note-capacity', event: { kind: 'ask', uid: row.uid } }];

/** The setting `ON_CAPACITY_FAIL_AFTER_MINUTES` lets a pod fail, so that its owner can try elsewhere; never a DaemonSet's. */
export function isOutOfPatience({ policy, at }: Observed, pod: Pod): boolean {
  const since = Date.parse(pod.status.startTime ?? pod.metadata.creationTimestamp);
  const limitMs = policy.capacityFailAfterMs;
  return limitMs > 0 && !isDaemonSetPod(pod) && Number.isFinite(since) && at - since > limitMs;
}

/** Whether the next decision may make a group: then it must be known whether ARM has room. */
export const needsCapacity = ({ pod, sight, references }: Pick<Observed, 'pod' | 'sight' | 'references'>): boolean =>
  references === undefined && sight.kind === 'absent' && pod !== undefined && isLivingPod(pod);

/**
 * Whether nothing but its first PUT can be next for the pod, as far as pod and row say: it lives, nobody has begun with
 * it, and nothing of its spec is in the way.
 */
export function isFirstPutNext({ pod, row, facts }: Pick<Observed, 'row' | 'facts'> & { readonly pod: Pod }): boolean {
  const { intent, fault } = row;
  const isUntouched = (intent.kind === 'none' || intent.kind === 'refused') && fault === undefined;
  return (
    isUntouched &&
    isLivingPod(pod) &&
    pod.status.startTime === undefined &&
    inspectPod(pod, facts).refusal === undefined &&
    imageTrouble(pod) === undefined
  );
}

/** A group of it was refused, or did not come up. A pod that only waited for a ConfigMap, or for a permit, has not been tried. */
const isRetry = ({ row }: Observed): boolean => row.intent.kind !== 'none' && row.fault !== undefined;

interface Cause {
  readonly reason: string;
  readonly message: string;
}

/**
 * A pod that ACI can never run is Failed; a DaemonSet's would be re-created for ever, so it waits, and one that another
 * controller would replace at once fails late.
 */
export function refuse(observed: Observed, pod: Pod, cause: Cause): Plan {
  if (isDaemonSetPod(pod)) return waitRefused(observed, pod, { ...cause, next: afterRefused(observed, pod) });
  const heldMs = refusalHoldMs(pod, observed.at);
  return heldMs > 0
    ? waitRefused(observed, pod, { ...cause, next: inMs(heldMs) })
    : failPod(observed, pod, cause, [createEvent(reasonEvent(cause))]);
}

/** What the spec alone refuses is reported again before the API server drops it; to hear ARM once more would take a PUT. */
const afterRefused = ({ facts }: Observed, pod: Pod): Next =>
  inspectPod(pod, facts).refusal === undefined ? idle : inMs(repeatEventMs);

/** The status names the reason, too: `kubectl get` and `kubectl logs` show it. */
function waitRefused(observed: Observed, pod: Pod, { reason, message, next }: Cause & { readonly next: Next }): Plan {
  const status = pendingStatus({ pod, reason, message, hostIP: observed.facts.hostIP, now: observed.at });
  return {
    effects: [createEvent(reasonEvent({ reason, message })), ...patch(pod, status)],
    row: { fault: { reason, message } },
    next,
  };
}

/** Known to have no group and to get none as it is: nothing is to be found out, only to be reported again. */
export const isOnlyReported = ({ row, facts }: Pick<Observed, 'row' | 'facts'>, pod: Pod): boolean =>
  row.intent.kind === 'none' &&
  row.fault !== undefined &&
  (imageTrouble(pod) !== undefined || (isDaemonSetPod(pod) && inspectPod(pod, facts).refusal !== undefined));

export const failPod = ({ at }: Observed, pod: Pod, { reason, message }: Cause, events: readonly Effect[]): Plan => ({
  effects: [...events, ...patch(pod, rejectedStatus({ pod, reason, message, now: at }))],
  row: { settled: true },
  next: idle,
});

/**
 * As a kubelet reports it. A change of the image is a change of the pod; only its deadline comes without one, and what is reported
 * must be reported again before the API server drops it.
 */
function waitForImage(observed: Observed, pod: Pod, { reason, message, container }: ImageTrouble): Plan {
  const { facts, at } = observed;
  const { activeDeadlineSeconds } = pod.spec;
  const limitMs = activeDeadlineSeconds === undefined ? undefined : activeDeadlineSeconds * 1000;
  const leftMs = deadlineInMs(observed, pod) ?? limitMs;
  const status = pendingStatus({ pod, reason, message, hostIP: facts.hostIP, now: at });
  const events = troubleEvents(pod, { reason, message, container }).map(createEvent);
  return {
    effects: [...events, ...patch(pod, status)],
    row: { fault: { reason, message } },
    next: inMs(Math.min(leftMs ?? repeatEventMs, repeatEventMs)),
  };
}

interface Wanted extends Cause {
  readonly container?: ContainerRef;
  readonly next: Next;
}

/** Pending with a waiting reason and its events; clears by itself when the cause passes. */
export function keepPending(observed: Observed, pod: Pod, { next, ...cause }: Wanted): Plan {
  const { reason, message } = cause;
  const status = pendingStatus({ pod, reason, message, hostIP: observed.facts.hostIP, now: observed.at });
  const events = troubleEvents(pod, cause).map(createEvent);
  return { effects: [...events, ...patch(pod, status)], row: { fault: { reason, message } }, next };
}
