import type { CapacityState } from '../../../shared/core/budget/capacity.ts';
import type { Fault } from '../../../shared/core/fault.ts';
import type { Call, Outcome } from '../../../shared/core/reconcile/observed.ts';
import type { InstanceView } from '../../../shared/core/group/group.ts';
import type { Container, Pod, Probe } from '../../../shared/core/kubernetes/pod.ts';
import { at, container, makeGroup, makePod, noon, running, terminated } from '../../fixtures/pods.ts';
import { ended, memoryAfter, over, report, runs } from '../agent/reports/fixtures.ts';
import { absent, accepted, always, deleting, ranOnce, seen } from './rendered.ts';
import type { Story } from './rendered.ts';

const failed = (call: Call, fault: Fault): { readonly outcome: Outcome } => ({
  outcome: { kind: 'failed', call, fault },
});
const transient: Fault = { kind: 'transient', message: 'connection reset' };
const throttled: Fault = { kind: 'throttled', retryAfterMs: 7_000, message: 'wait' };
const conflict: Fault = { kind: 'conflict', code: 'Conflict', message: 'the object has been modified' };
const denied: Fault = { kind: 'denied', code: 'Forbidden', message: 'no relationship found' };
const capacity: Fault = { kind: 'capacity', code: 'ContainerGroupQuotaReached', message: 'The quota is used up.' };
const transitioning: Fault = { kind: 'conflict', code: 'ContainerGroupTransitioning', message: 'still transitioning' };
const unknown: Fault = { kind: 'rejected', code: 'NobodyKnowsThis', message: 'no' };
const registryError: Fault = { kind: 'conflict', code: 'RegistryErrorResponse', message: 'Please retry later.' };
const refused: Fault = { ...unknown, code: 'InvalidContainerGroupUpdate', isPermanent: true };
const open = { intent: { kind: 'open', at: noon } } as const;
const put = { kind: 'put' } as const;
const fromReplicaSet = makePod({
  metadata: { ownerReferences: [{ kind: 'ReplicaSet', name: 'web', uid: 'r', controller: true }] },
  spec: { restartPolicy: 'Always' },
});
const fromDaemonSet = makePod({
  metadata: { ownerReferences: [{ kind: 'DaemonSet', name: 'log', uid: 'd', controller: true }] },
  spec: { restartPolicy: 'Always' },
});

const spot = makePod({
  metadata: { annotations: { 'serverless-kubelet.io/priority': 'Spot' } },
  spec: { restartPolicy: 'Always' },
  status: ranOnce.status,
});
const livenessProbe: Probe = {
  handler: { kind: 'exec', command: ['true'] },
  initialDelaySeconds: 0,
  periodSeconds: 10,
  timeoutSeconds: 1,
  successThreshold: 1,
  failureThreshold: 3,
};
const spotWithProbe = makePod({
  metadata: { annotations: { 'serverless-kubelet.io/priority': 'Spot' } },
  spec: { restartPolicy: 'Always', containers: [{ ...container(), livenessProbe }] },
  status: ranOnce.status,
});
const killed: InstanceView = {
  ...terminated(7147),
  events: [
    {
      name: 'Killing',
      message: 'Killing container',
      type: 'Normal',
      count: 1,
      firstTimestamp: at(5),
      lastTimestamp: at(5),
    },
  ],
};

/** What follows from the outcome of each call. */
export const outcomeStories: readonly Story[] = [
  {
    it: 'who has lost the row writes nothing any more',
    pod: makePod(),
    sight: absent,
    seen: { outcome: { kind: 'row-lost' } },
    says: 'row-lost:  → leave',
  },
  {
    it: 'whose PUT was accepted all the same reports those who have the row now',
    pod: makePod(),
    row: open,
    sight: put,
    seen: { outcome: { kind: 'row-lost' }, lastPut: { kind: 'put-accepted' } },
    says: 'row-lost: report-late-put → leave',
  },
  {
    it: 'and so does one that does not know what became of its PUT',
    pod: makePod(),
    row: open,
    sight: put,
    seen: { outcome: { kind: 'row-lost' }, lastPut: { kind: 'failed', call: 'put-group', fault: transient } },
    says: 'row-lost: report-late-put → leave',
  },
  {
    it: 'but not one whose PUT was refused',
    pod: makePod(),
    row: open,
    sight: put,
    seen: { outcome: { kind: 'row-lost' }, lastPut: { kind: 'failed', call: 'put-group', fault: throttled } },
    says: 'row-lost:  → leave',
  },
  {
    it: 'who has no time left comes back later',
    pod: makePod(),
    sight: absent,
    seen: { outcome: { kind: 'out-of-time' } },
    says: 'out-of-time:  → backoff, after transient',
  },
  {
    it: 'a read of the group that failed is made again later',
    pod: makePod(),
    sight: { kind: 'unread' },
    seen: failed('get-group', transient),
    says: 'call-failed:  → backoff, after transient',
  },
  {
    it: 'Retry-After is honoured, whichever call it was',
    pod: makePod(),
    sight: { kind: 'unread' },
    seen: failed('get-group', throttled),
    says: 'call-failed:  → in 7 s, after throttled',
  },
  {
    it: 'a status that somebody else wrote meanwhile is decided again, without another poll of the group',
    pod: ranOnce,
    row: accepted,
    sight: seen(makeGroup('Running', running(1))),
    seen: failed('patch-status', conflict),
    says: 'status-conflict: read-pod → again',
  },
  {
    it: 'but not for ever',
    pod: ranOnce,
    row: accepted,
    sight: seen(makeGroup('Running', running(1))),
    seen: { ...failed('patch-status', conflict), statusConflicts: 4 },
    says: 'status-conflicts:  → in 1 s',
  },
  {
    it: 'and not on a sight of before the PUT',
    pod: makePod(),
    row: accepted,
    sight: put,
    seen: failed('patch-status', conflict),
    says: 'status-conflict-after-put:  → in 1 s',
  },
  {
    it: 'a status that may not be written yet is tried in a second',
    pod: makePod(),
    row: accepted,
    sight: put,
    seen: failed('patch-status', denied),
    says: 'status-denied:  → in 1 s, after denied',
  },
  {
    it: 'one that may not be written at all, in a minute',
    pod: ranOnce,
    row: accepted,
    seconds: 100,
    sight: seen(makeGroup('Running', running(1))),
    seen: failed('patch-status', denied),
    says: 'status-denied:  → in 60 s, after denied',
  },
  {
    it: 'conditions at odds with the containers are fixed, and the next poll stays where it was',
    pod: ranOnce,
    row: accepted,
    sight: { kind: 'unread' },
    seen: { correcting: { plannedAt: noon + 25_000 } },
    says: 'conditions-corrected: patch-status(Running) → in 15 s',
  },
  {
    it: 'where that fails everything is polled',
    pod: ranOnce,
    row: accepted,
    sight: { kind: 'unread' },
    seen: { correcting: { plannedAt: noon + 25_000 }, ...failed('patch-status', conflict) },
    says: 'correction-failed:  → in 1 s',
  },
  // What agents say
  {
    it: 'an end that an agent reports is the status, and ARM is asked a moment later',
    pod: ranOnce,
    row: { ...accepted, agent: memoryAfter([report(over(ended(3, 1, 8)))]) },
    sight: { kind: 'unread' },
    seen: { correcting: { plannedAt: noon + 70_000, isHeard: true } },
    says: 'heard: patch-status(Failed) → in 15 s',
  },
  {
    it: 'the end of its log is read first, where that is to be the message',
    pod: { ...ranOnce, rawSpec: { containers: [{ name: 'main', terminationMessagePolicy: 'FallbackToLogsOnError' }] } },
    row: { ...accepted, agent: memoryAfter([report(over(ended(3, 1, 8)))]) },
    sight: { kind: 'unread' },
    seen: { correcting: { plannedAt: noon + 70_000, isHeard: true } },
    says: 'heard-of-a-failure: read-log-tails → again',
  },
  {
    it: 'of a pod that nobody has seen running only a read of ARM says how it is',
    pod: makePod(),
    row: { ...accepted, agent: memoryAfter([report(over(ended(3, 1, 8)))]) },
    sight: { kind: 'unread' },
    seen: { correcting: { plannedAt: noon + 70_000, isHeard: true } },
    says: 'heard-too-early:  → in 1 s',
  },
  {
    it: 'of a pod that goes on the next poll stays where it was',
    pod: ranOnce,
    row: { ...accepted, agent: memoryAfter([report(runs(1, { ready: false }))]) },
    sight: { kind: 'unread' },
    seen: { correcting: { plannedAt: noon + 70_000, isHeard: true } },
    says: 'heard: patch-status(Running) → in 60 s',
  },
  // The PUT
  {
    it: 'what a pod refers to is read before its group is made',
    pod: makePod(),
    sight: absent,
    seen: { references: undefined },
    says: 'references-unread: read-references → again',
  },
  {
    it: 'a Node authorizer that does not know of the binding yet is asked again in a second',
    pod: makePod(),
    sight: absent,
    seen: { references: undefined, ...failed('read-references', denied) },
    says: 'references-not-yet:  → in 1 s, after denied',
  },
  {
    it: 'one that refuses for good keeps the pod Pending',
    pod: makePod(),
    seconds: 100,
    sight: absent,
    seen: { references: undefined, ...failed('read-references', denied) },
    says: 'references-denied: create-event(Failed), patch-status(Pending) → backoff',
  },
  {
    it: 'a ConfigMap that is not there keeps the pod Pending',
    pod: makePod({ spec: { containers: [withConfigMap()] } }),
    sight: absent,
    says: 'put: create-event(Failed), patch-status(Pending) → backoff',
  },
  {
    it: 'a pod that ACI can never run is Failed',
    pod: refusable(makePod()),
    sight: absent,
    says: 'pod-refused: create-event(UnsupportedPodSpec), patch-status(Failed) → idle, settled',
  },
  {
    it: 'one that its ReplicaSet would replace at once waits first',
    pod: refusable(fromReplicaSet),
    sight: absent,
    says: 'pod-refused: create-event(UnsupportedPodSpec), patch-status(Pending) → in 289.8 s',
  },
  {
    it: 'a DaemonSet’s is never Failed',
    pod: refusable(fromDaemonSet),
    seconds: 1_000,
    sight: absent,
    says: 'pod-refused: create-event(UnsupportedPodSpec), patch-status(Pending) → in 2700 s',
  },
  {
    it: 'an accepted PUT is written down first',
    pod: makePod(),
    row: open,
    sight: put,
    seen: { outcome: { kind: 'put-accepted', operationUrl: 'https://arm.example/operations/1' } },
    says: 'put-accepted: save-row(accepted), create-event(Created), patch-status(Pending) → in 2 s',
  },
  {
    it: 'a PUT whose answer was lost leaves the intent open',
    pod: makePod(),
    row: open,
    sight: put,
    seen: failed('put-group', transient),
    says: 'put-unknown:  → in 3 s, after transient',
  },
  {
    it: 'a conflict says that the group exists: the next poll adopts it',
    pod: makePod(),
    row: open,
    sight: put,
    seen: failed('put-group', transitioning),
    says: 'put-unknown:  → in 3 s, after conflict',
  },
  {
    it: 'a PUT without a permit waits for one, and the intent need not be waited out',
    pod: makePod(),
    row: open,
    sight: put,
    seen: failed('put-group', throttled),
    says: 'put-throttled:  → in 7 s, after throttled',
  },
  {
    it: 'a first PUT that could not be sent waits before anything is asked of ARM, and its row says of no intent',
    pod: makePod(),
    sight: { kind: 'unread' },
    seen: failed('put-group', throttled),
    says: 'put-throttled:  → in 7 s, after throttled',
  },
  {
    it: 'a PUT without capacity keeps the pod Pending',
    pod: makePod(),
    row: open,
    sight: put,
    seen: failed('put-group', capacity),
    says: 'put-refused: save-row(refused), note-capacity, free-groups, create-event(ProviderCapacity), patch-status(Pending) → backoff',
  },
  {
    it: 'unless a setting ends its patience',
    pod: makePod(),
    row: open,
    seconds: 301,
    sight: put,
    policy: { capacityFailAfterMs: 300_000 },
    seen: failed('put-group', capacity),
    says: 'out-of-patience: save-row(refused), note-capacity, patch-status(Failed) → idle, settled',
  },
  {
    it: 'which never fails a DaemonSet’s',
    pod: fromDaemonSet,
    row: open,
    seconds: 301,
    sight: put,
    policy: { capacityFailAfterMs: 300_000 },
    seen: failed('put-group', capacity),
    says: 'put-refused: save-row(refused), note-capacity, free-groups, create-event(ProviderCapacity), patch-status(Pending) → backoff',
  },
  {
    it: 'a PUT that is refused for good fails the pod',
    pod: makePod(),
    row: open,
    sight: put,
    seen: failed('put-group', refused),
    says: 'put-refused-for-good: save-row(refused), create-event(ProviderRejected), patch-status(Failed) → idle, settled',
  },
  // Capacity is asked for by one pod
  {
    it: 'a pod of a size for which ARM has no room waits, without a PUT',
    pod: makePod(),
    sight: absent,
    seen: { references: undefined, capacity: full({ askAt: noon + 30_000 }) },
    says: 'capacity-wait: create-event(ProviderCapacity), patch-status(Pending) → backoff',
  },
  {
    it: 'when it is time one of them asks',
    pod: makePod(),
    sight: absent,
    seen: { capacity: full({ askAt: noon }) },
    says: 'put: note-capacity, open-intent, put-group → again',
  },
  {
    it: 'while another asks the pod waits',
    pod: makePod(),
    sight: absent,
    seen: { references: undefined, capacity: full({ asking: [{ uid: 'other', until: noon + 60_000 }] }) },
    says: 'capacity-wait: create-event(ProviderCapacity), patch-status(Pending) → backoff',
  },
  {
    it: 'who was too late to ask waits, too',
    pod: makePod(),
    sight: absent,
    seen: { capacity: full({}), outcome: { kind: 'not-asked' } },
    says: 'capacity-wait: create-event(ProviderCapacity), patch-status(Pending) → backoff',
  },
  {
    it: 'its patience ends while it waits, too',
    pod: makePod(),
    seconds: 301,
    sight: absent,
    policy: { capacityFailAfterMs: 300_000 },
    seen: { references: undefined, capacity: full({ askAt: noon + 400_000 }) },
    says: 'out-of-patience: patch-status(Failed) → idle, settled',
  },
  {
    it: 'that ARM took the PUT of who asked is asked to the others',
    pod: makePod(),
    row: open,
    sight: put,
    seen: { capacity: full({}), outcome: { kind: 'put-accepted' } },
    says: 'put-accepted: save-row(accepted), note-capacity, create-event(Created), patch-status(Pending) → in 2 s',
  },
  {
    it: 'and that its group came up',
    pod: makePod(),
    row: { ...accepted, fault: { reason: 'ProviderCapacity', message: 'no room' } },
    sight: seen(makeGroup('Running', running(1))),
    says: 'running: create-event(Started), patch-status(Running), note-capacity → in 5 s',
  },
  {
    it: 'a group that could not be provisioned for lack of room is asked to the others',
    pod: makePod(),
    row: accepted,
    sight: seen(makeGroup('Failed', undefined, { provisioningState: 'Failed' })),
    seen: { operation: [{ name: 'InsufficientCapacity', message: 'no room' }] },
    says: 'failed-to-provision: create-event(ProviderCapacity), patch-status(Pending), note-capacity, save-row(accepted), delete-group → backoff, deleting',
  },
  {
    it: 'a group that was refused before is a retry, before which first tries go',
    pod: makePod(),
    row: { intent: { kind: 'refused', at: noon - 60_000 }, fault: { reason: 'ProviderError', message: 'no' } },
    sight: absent,
    says: 'put: open-intent, put-group(retry) → again',
  },
  {
    it: 'one that only waited for a ConfigMap is none',
    pod: makePod(),
    row: { fault: { reason: 'CreateContainerConfigError', message: 'configmap "c" not found' } },
    sight: absent,
    says: 'put: open-intent, put-group → again',
  },
  // Groups that did not come up
  {
    it: 'a group that never came up goes, and a new one is tried later',
    pod: makePod(),
    row: accepted,
    sight: seen(makeGroup('Failed', undefined, { provisioningState: 'Failed' })),
    says: 'failed-to-provision: create-event(ProviderFailed), patch-status(Pending), save-row(accepted), delete-group → backoff, deleting',
  },
  {
    it: 'one that failed after its containers had started is lost',
    pod: makePod({ spec: { restartPolicy: 'Always' } }),
    row: accepted,
    sight: seen(makeGroup('Failed', running(1), { provisioningState: 'Failed' })),
    says: 'failed-after-start: patch-status(Pending), create-event(ContainerGroupLost), save-row(accepted), delete-group → again, deleting',
  },
  {
    it: 'a group that somebody stopped is lost',
    pod: always,
    row: accepted,
    sight: seen(makeGroup('Stopped')),
    says: 'stopped-by-somebody: patch-status(Running), create-event(ContainerGroupLost), save-row(accepted), delete-group → again, deleting',
  },
  {
    it: 'a group that is being made is polled closely',
    pod: makePod(),
    row: accepted,
    sight: seen(makeGroup('Pending')),
    says: 'provisioning: patch-status(Pending) → in 2 s',
  },
  {
    it: 'a Spot group that Azure took back is lost: it was killed, and is Failed for good',
    pod: spot,
    row: accepted,
    sight: seen(makeGroup('Failed', killed)),
    says: 'spot-taken-back: patch-status(Running), create-event(ContainerGroupLost), save-row(accepted), delete-group → again, deleting',
  },
  {
    it: 'also one of whose containers one had ended before',
    pod: spot,
    row: accepted,
    sight: seen(
      makeGroup('Failed', killed, {
        containers: [
          { name: 'main', image: 'busybox:1.36', instanceView: killed },
          { name: 'beside', image: 'busybox:1.36', instanceView: terminated(0) },
        ],
      }),
    ),
    says: 'spot-taken-back: patch-status(Running), create-event(ContainerGroupLost), save-row(accepted), delete-group → again, deleting',
  },
  {
    it: 'and one that nobody has started again for longer than any back-off',
    pod: spot,
    row: accepted,
    sight: seen(makeGroup('Failed', terminated(1))),
    seconds: 400,
    says: 'spot-taken-back: patch-status(Running), create-event(ContainerGroupLost), save-row(accepted), delete-group → again, deleting',
  },
  {
    it: 'a Spot group whose container a probe killed is started again',
    pod: spotWithProbe,
    row: accepted,
    sight: seen(makeGroup('Failed', killed)),
    says: 'between-restarts: create-event(Killing), patch-status(Running) → in 2 s',
  },
  {
    it: 'a Spot group whose container failed is started again',
    pod: spot,
    row: accepted,
    sight: seen(makeGroup('Failed', terminated(1))),
    says: 'between-restarts: patch-status(Running) → in 2 s',
  },
  {
    it: 'a group of other pods that a probe killed is started again',
    pod: always,
    row: accepted,
    sight: seen(makeGroup('Failed', killed)),
    says: 'between-restarts: patch-status(Running) → in 2 s',
  },
  {
    it: 'between two restarts the pod is polled, too',
    pod: always,
    row: accepted,
    sight: seen(makeGroup('Failed', terminated(1))),
    says: 'between-restarts: patch-status(Running) → in 2 s',
  },
  {
    it: 'a group that is still being made at the end of activeDeadlineSeconds goes without stop',
    pod: makePod({ spec: { activeDeadlineSeconds: 5 }, status: { startTime: at(0) } }),
    row: accepted,
    sight: seen(makeGroup('Pending')),
    says: 'deadline-delete: create-event(DeadlineExceeded), save-row(accepted), delete-group → again, deleting',
  },
  {
    it: 'a refusal that nobody knows to be for good keeps the pod Pending',
    pod: makePod(),
    row: open,
    sight: put,
    seen: failed('put-group', unknown),
    says: 'put-refused: save-row(refused), create-event(ProviderError), patch-status(Pending) → backoff',
  },
  {
    it: 'a registry that ARM hears an error from is a kubelet’s ErrImagePull, whose message names the image',
    pod: makePod(),
    row: open,
    sight: put,
    seen: failed('put-group', registryError),
    says: 'put-refused: save-row(refused), create-event(Failed), create-event(Failed), patch-status(Pending) → backoff',
  },
  {
    it: 'the same again is ImagePullBackOff',
    pod: makePod(),
    row: { ...open, fault: { reason: 'ErrImagePull', message: 'before' } },
    sight: put,
    seen: failed('put-group', registryError),
    says: 'put-refused: save-row(refused), create-event(Failed), create-event(Failed), create-event(BackOff), create-event(Failed), patch-status(Pending) → backoff',
  },
  {
    it: 'a group that could not be provisioned for its image names it, too',
    pod: makePod(),
    row: accepted,
    sight: seen(makeGroup('Failed', undefined, { provisioningState: 'Failed' })),
    seen: { operation: [{ name: 'RegistryErrorResponse', message: 'Please retry later.' }] },
    says: 'failed-to-provision: create-event(Failed), create-event(Failed), patch-status(Pending), save-row(accepted), delete-group → backoff, deleting',
  },
  // The end
  {
    it: 'a stop that is refused in transition is tried again',
    pod: makePod({ metadata: deleting, status: ranOnce.status }),
    row: accepted,
    sight: { kind: 'unread' },
    seen: failed('stop-group', transitioning),
    says: 'group-in-transition:  → in 5 s, after conflict',
  },
  {
    it: 'so is a DELETE',
    sight: { kind: 'unread' },
    seen: failed('delete-group', transitioning),
    says: 'group-in-transition:  → in 5 s, after conflict',
  },
  {
    it: 'a stop that ARM took and does not show yet is not sent twice',
    pod: makePod({ metadata: deleting, status: ranOnce.status }),
    row: { ...accepted, ending: { by: 'stop', at: noon + 5_000 } },
    sight: seen(makeGroup('Running', running(1))),
    says: 'stop-was-sent:  → in 2 s',
  },
  {
    it: 'nor for half a minute',
    pod: makePod({ metadata: deleting, status: ranOnce.status }),
    row: { ...accepted, ending: { by: 'stop', at: noon + 5_000 } },
    seconds: 36,
    sight: seen(makeGroup('Running', running(1))),
    says: 'stop: create-event(Killing), stop-group → again, stopping',
  },
  {
    it: 'nor at the end of activeDeadlineSeconds',
    pod: makePod({ spec: { activeDeadlineSeconds: 5 }, status: ranOnce.status }),
    row: { ...accepted, ending: { by: 'stop', at: noon + 5_000 } },
    sight: seen(makeGroup('Running', running(1))),
    says: 'deadline-stop-was-sent:  → in 2 s',
  },
  {
    it: 'nor for a pod that has ended',
    pod: makePod({ status: { phase: 'Failed' } }),
    row: { ...accepted, ending: { by: 'stop', at: noon + 5_000 } },
    sight: seen(makeGroup('Running', running(1))),
    says: 'ended-but-running:  → in 2 s',
  },
  {
    it: 'a DELETE that ARM took and does not show yet is not sent twice',
    row: { ...accepted, ending: { by: 'delete', at: noon + 5_000 } },
    sight: seen(makeGroup('Running', running(1))),
    says: 'group-is-going:  → in 2 s',
  },
  {
    it: 'one of which nothing came for half a minute is',
    row: { ...accepted, lastSeen: 'deleting', ending: { by: 'delete', at: noon + 5_000 } },
    seconds: 36,
    sight: seen(makeGroup('Running', running(1))),
    seen: { clusterUid: '7d5a3c1e-0000-4000-8000-000000000001' },
    says: 'orphan-group: delete-group → again, deleting',
  },
  {
    it: 'the 404 after our DELETE is written down before anything follows from it',
    pod: makePod({ spec: { restartPolicy: 'Always' } }),
    row: { intent: { kind: 'accepted', at: noon, replacing: true }, ending: { by: 'delete', at: noon } },
    sight: absent,
    says: 'delete-confirmed: note-row(deleted), note-capacity → again',
  },
];

function full(state: Partial<CapacityState>): CapacityState {
  return { message: 'no room', seenAt: 'put', attempt: 0, askAt: noon, width: 1, asking: [], ...state };
}

function withConfigMap(): Container {
  return { ...container(), envFrom: [{ prefix: '', configMapRef: { name: 'missing', optional: false } }] };
}

function refusable(pod: Pod): Pod {
  return { ...pod, rawSpec: { ...pod.rawSpec, hostNetwork: true } };
}
