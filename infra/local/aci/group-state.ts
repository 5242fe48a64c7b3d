import type { RestartPolicy } from './wire.ts';

/** The pure state machine of one container group (docs/aci.md, Life of a group). Times are milliseconds since the epoch. */
type ProvisioningState = 'Pending' | 'Creating' | 'Updating' | 'Succeeded' | 'Failed' | 'Deleting';

export interface EventRecord {
  readonly count: number;
  readonly firstTimestamp: number;
  readonly lastTimestamp: number;
  readonly name: string;
  readonly message: string;
  readonly type: 'Normal' | 'Warning';
}

export interface Terminated {
  readonly state: 'Terminated';
  readonly startTime?: number;
  readonly exitCode: number;
  readonly finishTime: number;
  readonly detailStatus: string;
}

export type ContainerState =
  | { readonly state: 'Waiting'; readonly detailStatus: string }
  | { readonly state: 'Running'; readonly startTime: number; readonly detailStatus: string }
  | Terminated;

export interface ContainerStatus {
  readonly init: boolean;
  readonly restartCount: number;
  readonly currentState: ContainerState;
  readonly previousState?: Terminated;
  readonly events: readonly EventRecord[];
  /** Ended for good: the policy starts it no more. */
  readonly settled: boolean;
}

export interface GroupStatus {
  readonly provisioningState: ProvisioningState;
  /** After POST stop: the containers' views are gone until the next start. */
  readonly stopped: boolean;
  readonly events: readonly EventRecord[];
  readonly containers: ReadonlyMap<string, ContainerStatus>;
}

export type EventText = Pick<EventRecord, 'name' | 'message' | 'type'>;

export type GroupEvent =
  | { readonly kind: 'provisioning'; readonly state: ProvisioningState }
  /** The containers begin a new life after start or restart: their events stay, their counts do not. */
  | { readonly kind: 'relaunched' }
  | { readonly kind: 'stopped' }
  /** What has not ended for good ends so now. */
  | { readonly kind: 'evicted'; readonly exitCode: number }
  | { readonly kind: 'group-event'; readonly event: EventText }
  | { readonly kind: 'container-event'; readonly container: string; readonly event: EventText }
  | { readonly kind: 'pulled'; readonly container: string; readonly reference: string }
  | { readonly kind: 'started'; readonly container: string; readonly startTime: number }
  | { readonly kind: 'ended'; readonly container: string; readonly end: Terminated; readonly settled: boolean }
  | { readonly kind: 'back-off'; readonly container: string; readonly delayMs: number };

/** The status right after a PUT was accepted: nothing of an earlier deployment remains. */
export function initialStatus(initContainers: readonly string[], containers: readonly string[]): GroupStatus {
  const entries = [
    ...initContainers.map((name) => [name, freshContainer(true, false)] as const),
    ...containers.map((name) => [name, freshContainer(false, initContainers.length > 0)] as const),
  ];
  return { provisioningState: 'Pending', stopped: false, events: [], containers: new Map(entries) };
}

function freshContainer(init: boolean, initializing: boolean): ContainerStatus {
  return {
    init,
    restartCount: 0,
    currentState: { state: 'Waiting', detailStatus: initializing ? 'PodInitializing' : '' },
    events: [],
    settled: false,
  };
}

/** What the policy does with an end. Init containers run under Always as under OnFailure. */
export function restarts(policy: RestartPolicy, init: boolean, exitCode: number): boolean {
  if (policy === 'Never') return false;
  return exitCode !== 0 || (policy === 'Always' && !init);
}

/** The group's `instanceView.state`, derived from its containers. */
export function lifecycleState(status: GroupStatus): 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Stopped' {
  if (status.stopped) return 'Stopped';
  const all = [...status.containers.values()];
  if (all.some((c) => c.init && c.settled && endedBadly(c))) return 'Failed';
  const main = all.filter((c) => !c.init);
  if (main.every((c) => c.settled)) return main.some(endedBadly) ? 'Failed' : 'Succeeded';
  return main.some((c) => c.restartCount > 0 || c.currentState.state !== 'Waiting') ? 'Running' : 'Pending';
}

function endedBadly(c: ContainerStatus): boolean {
  return c.currentState.state === 'Terminated' && c.currentState.exitCode !== 0;
}

/** All containers have ended for good: cores are free, any PUT is a new deployment. */
export function isTerminated(status: GroupStatus): boolean {
  const state = lifecycleState(status);
  return state === 'Succeeded' || state === 'Failed';
}

/** PUT, start, restart and stop answer 409 meanwhile. */
export function isTransitioning(status: GroupStatus): boolean {
  return status.provisioningState !== 'Succeeded' && status.provisioningState !== 'Failed';
}

/** The next status. Total: an event of an unknown container changes nothing. */
export function reduce(status: GroupStatus, event: GroupEvent, now: number): GroupStatus {
  switch (event.kind) {
    case 'provisioning':
      return { ...status, provisioningState: event.state };
    case 'stopped':
      return { ...status, stopped: true };
    case 'relaunched':
      return { ...status, stopped: false, containers: relaunch(status.containers) };
    case 'evicted':
      return { ...status, containers: evict(status.containers, event.exitCode, now) };
    case 'group-event':
      return { ...status, events: addEvent(status.events, event.event, now) };
    default:
      return reduceContainer(status, event, now);
  }
}

type ContainerEvent = Extract<GroupEvent, { readonly container: string }>;

function reduceContainer(status: GroupStatus, event: ContainerEvent, now: number): GroupStatus {
  const before = status.containers.get(event.container);
  if (before === undefined) return status;
  const containers = new Map(status.containers);
  containers.set(event.container, nextContainer(before, event, now));
  return { ...status, containers };
}

function nextContainer(before: ContainerStatus, event: ContainerEvent, now: number): ContainerStatus {
  const record = (text: EventText): readonly EventRecord[] => addEvent(before.events, text, now);
  switch (event.kind) {
    case 'container-event':
      return { ...before, events: record(event.event) };
    case 'pulled': {
      const events = nameDigest(before.events, event.reference);
      const message = `Successfully pulled image "${event.reference}"`;
      return { ...before, events: addEvent(events, { name: 'Pulled', message, type: 'Normal' }, now) };
    }
    case 'started':
      return {
        ...before,
        currentState: { state: 'Running', startTime: event.startTime, detailStatus: '' },
        events: record({ name: 'Started', message: 'Started container', type: 'Normal' }),
      };
    case 'ended':
      return { ...before, currentState: event.end, settled: event.settled };
    default:
      return backOff(before, event.delayMs);
  }
}

function backOff(before: ContainerStatus, delayMs: number): ContainerStatus {
  const { currentState } = before;
  const detailStatus = `CrashLoopBackOff: Back-off ${Math.round(delayMs / 1000)}s restarting failed container`;
  return {
    ...before,
    restartCount: before.restartCount + 1,
    currentState: { state: 'Waiting', detailStatus },
    ...(currentState.state === 'Terminated' ? { previousState: currentState } : {}),
  };
}

function evict(
  containers: ReadonlyMap<string, ContainerStatus>,
  exitCode: number,
  finishTime: number,
): ReadonlyMap<string, ContainerStatus> {
  const ended = (c: ContainerStatus): ContainerStatus => {
    const started = c.currentState.state === 'Running' ? { startTime: c.currentState.startTime } : {};
    const end = { state: 'Terminated', ...started, exitCode, finishTime, detailStatus: 'Error' } as const;
    return { ...c, currentState: end, settled: true };
  };
  return new Map([...containers].map(([name, c]) => [name, c.settled ? c : ended(c)]));
}

function relaunch(containers: ReadonlyMap<string, ContainerStatus>): ReadonlyMap<string, ContainerStatus> {
  const initializing = [...containers.values()].some((c) => c.init);
  return new Map(
    [...containers].map(([name, c]) => [
      name,
      { ...freshContainer(c.init, !c.init && initializing), events: c.events },
    ]),
  );
}

function addEvent(events: readonly EventRecord[], text: EventText, now: number): readonly EventRecord[] {
  const index = events.findIndex((e) => e.name === text.name && e.message === text.message);
  const known = events[index];
  if (known === undefined) return [...events, { ...text, count: 1, firstTimestamp: now, lastTimestamp: now }];
  return events.with(index, { ...known, count: known.count + 1, lastTimestamp: now });
}

/** The digest is known only once the image is there: the pending `Pulling` event is reported it then. */
function nameDigest(events: readonly EventRecord[], reference: string): readonly EventRecord[] {
  const index = events.findLastIndex((e) => e.name === 'Pulling');
  const pulling = events[index];
  const message = `pulling image "${reference}"`;
  if (pulling === undefined || pulling.message === message) return events;
  const earlier = events.findIndex((e) => e.message === message);
  const known = events[earlier];
  if (known === undefined) return events.with(index, { ...pulling, message });
  const merged = { ...known, count: known.count + pulling.count, lastTimestamp: pulling.lastTimestamp };
  return events.with(earlier, merged).toSpliced(index, 1);
}

/** `alpine:3` and its digest → `alpine@sha256:…`, as the events name images. */
export function imageReference(image: string, digest: string): string {
  const repository = image.replace(/@.*$/, '').replace(/:[^/:]*$/, '');
  return `${repository}@${digest}`;
}
