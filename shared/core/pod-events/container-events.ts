import type { GroupEvent, GroupObservation, InstanceView } from '../group/group.ts';
import { pullCause } from '../image/pull-words.ts';
import type { ContainerStatus, Pod, PodStatus } from '../kubernetes/pod.ts';
import { observedContainer } from '../group/observed-container.ts';
import { instantMs } from '../status/time.ts';
import { containersOf } from './pod-event.ts';
import type { NamedContainer, PodEvent } from './pod-event.ts';
import { podEvents } from './table.ts';
import { defined } from '../defined.ts';

/** A pull that takes longer is reported while it goes on; of a shorter one the end is enough. */
const longPullMs = 10_000;

/** What one poll of a group found: the pod as the API server had it, the status that was made of the poll. */
export interface Poll {
  readonly pod: Pod;
  readonly status: PodStatus;
  readonly group: GroupObservation;
  readonly now: number;
}

/** What the poll has to report each container, in the order in which they start. */
export const containerEvents = (poll: Poll): readonly PodEvent[] =>
  containersOf(poll.pod).flatMap((container) => {
    const statuses = container.member === 'containers' ? 'containerStatuses' : 'initContainerStatuses';
    const byName = ({ name }: { readonly name: string }): boolean => name === container.name;
    const after = poll.status[statuses].find(byName);
    if (after === undefined) return [];
    const before = poll.pod.status[statuses].find(byName);
    const view = observedContainer(poll.group, container)?.instanceView;
    return eventsOf({ poll, container, before, after, view });
  });

interface Seen {
  readonly poll: Poll;
  readonly container: NamedContainer;
  /** As the API object has it. */
  readonly before: ContainerStatus | undefined;
  readonly after: ContainerStatus;
  readonly view: InstanceView | undefined;
}

const eventsOf = (seen: Seen): readonly PodEvent[] => [...startEvents(seen), ...probeEvents(seen), ...troubles(seen)];

function startEvents({ container, before, after, view }: Seen): readonly PodEvent[] {
  const known = startsOf(before);
  const starts = startsOf(after);
  if (starts <= known) return [];
  const at = startedAt(after);
  const started = { ...podEvents.started.of(container), count: starts, ...defined({ at }) };
  return [...(known === 0 ? pulledEvent(container, view?.events ?? []) : []), started];
}

/** What ACI's own liveness probe found, and what it did then; counted by ACI. */
function probeEvents({ poll, container, view }: Seen): readonly PodEvent[] {
  if (
    poll.pod.spec.containers.every(({ name, livenessProbe }) => name !== container.name || livenessProbe === undefined)
  )
    return [];
  return (view?.events ?? []).flatMap(({ name, message, count, lastTimestamp: at }) => {
    if (name === 'Unhealthy') return [{ ...podEvents.unhealthy.of(container, message), count, at }];
    return name === 'Killing' ? [{ ...podEvents.killedUnhealthy.of(container), count, at }] : [];
  });
}

/** How often it was started, as the status reports it. A waiting container's coming run is counted already. */
function startsOf(status: ContainerStatus | undefined): number {
  if (status === undefined) return 0;
  if (status.state.kind === 'waiting') return status.lastState === undefined ? 0 : status.restartCount;
  return startedAt(status) === undefined ? status.restartCount : status.restartCount + 1;
}

function startedAt({ state, lastState }: ContainerStatus): string | undefined {
  if (state.kind !== 'waiting') return state.startedAt;
  return lastState?.kind === 'terminated' ? lastState.startedAt : undefined;
}

function pulledEvent(container: NamedContainer, events: readonly GroupEvent[]): readonly PodEvent[] {
  const pulled = events.findLast(({ name }) => name === 'Pulled');
  if (pulled === undefined) return [];
  const end = instantMs(pulled.lastTimestamp);
  const begin = instantMs(events.findLast(({ name }) => name === 'Pulling')?.lastTimestamp);
  const seconds = begin === undefined || end === undefined ? 0 : Math.round((end - begin) / 1000);
  return [{ ...podEvents.pulled.of(container, seconds), ...(end === undefined ? {} : { at: pulled.lastTimestamp }) }];
}

function troubles(seen: Seen): readonly PodEvent[] {
  const { before, after } = seen;
  const { state } = after;
  if (state.kind === 'waiting') return whyWaiting(seen, state);
  const restartsMissed = after.restartCount > Math.max(1, before?.restartCount ?? 0);
  return [...(restartsMissed ? [backOff(seen)] : []), ...(state.kind === 'terminated' ? startFaults(seen) : [])];
}

/** Reasons of which a kubelet says `Error:` and the message. */
const errors: ReadonlySet<string> = new Set([
  'ImageInspectError',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
  'RegistryUnavailable',
]);

function whyWaiting(
  seen: Seen,
  { reason, message }: { readonly reason: string; readonly message?: string },
): readonly PodEvent[] {
  if (errors.has(reason)) return [podEvents.failed.of(seen.container, message ?? reason)];
  switch (reason) {
    case 'CrashLoopBackOff':
      return [backOff(seen), ...startFaults(seen)];
    case 'ErrImagePull':
      return pullFault(seen.container, message ?? '');
    case 'ImagePullBackOff':
      return [...pullFaults(seen), ...pullBackOff(seen.container)];
    default:
      return longPull(seen);
  }
}

const backOff = ({ poll, container, after }: Seen): PodEvent => ({
  ...podEvents.backOffRestarting.of(container, poll.pod.metadata),
  count: after.restartCount,
});

/** A kubelet writes the two together. `why`: in the words of ACI, ARM or a registry, which may begin as a kubelet's do. */
export const pullFault = (container: NamedContainer, why: string): readonly PodEvent[] => [
  podEvents.pullFailed.of(container, pullCause(why)),
  podEvents.failed.of(container, 'ErrImagePull'),
];

/** And these two between two tries. */
export const pullBackOff = (container: NamedContainer): readonly PodEvent[] => [
  podEvents.backOffPulling.of(container),
  podEvents.failed.of(container, 'ImagePullBackOff'),
];

const isOfPull = ({ message }: GroupEvent): boolean => /pull/i.test(message);

/** What ACI says of the last pull: its back-off may be all that a poll sees of it. */
function pullFaults({ container, view }: Seen): readonly PodEvent[] {
  const fault = view?.events.findLast((event) => event.name === 'Failed' && isOfPull(event));
  return fault === undefined ? [] : pullFault(container, fault.message);
}

/** Why it could not be started; then it has ended without a start, or waits for the next try. */
function startFaults({ container, view }: Seen): readonly PodEvent[] {
  const fault = view?.events.findLast((event) => event.name === 'Failed' && !isOfPull(event));
  return fault === undefined ? [] : [podEvents.failed.of(container, fault.message)];
}

function longPull({ poll, container, view }: Seen): readonly PodEvent[] {
  const newest = view?.events.at(-1);
  const since = newest?.name === 'Pulling' ? instantMs(newest.lastTimestamp) : undefined;
  if (newest === undefined || since === undefined || poll.now - since < longPullMs) return [];
  return [{ ...podEvents.pulling.of(container), at: newest.lastTimestamp }];
}
