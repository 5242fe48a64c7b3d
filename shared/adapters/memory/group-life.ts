import type {
  GroupBody,
  GroupContainer,
  GroupInitContainer,
  GroupObservation,
  ObservedContainer,
  ObservedState,
} from '../../core/group/group.ts';

/** What the containers of an image do; without `runMs` they run until they are stopped. */
interface ImageBehaviour {
  readonly runMs?: number;
  readonly exitCode?: number;
  /** Written at the start. */
  readonly log?: string;
}

export interface MemoryGroup {
  readonly name: string;
  readonly body: GroupBody;
  readonly createdAt: number;
  readonly stopped: boolean;
  /** Set by a test: how ARM is to show the group, whatever its containers do. */
  readonly override: ((seen: GroupObservation) => GroupObservation) | undefined;
}

export interface GroupTimes {
  /** From the PUT to `Succeeded`, all containers started. */
  readonly provisioningMs: number;
}

export type Behaviours = Readonly<Record<string, ImageBehaviour>>;

/** How ARM shows a group at `now`: a function of its body, its age and what its images do. */
export function observeGroup(
  group: MemoryGroup,
  world: { readonly now: number; readonly behaviours: Behaviours; readonly times: GroupTimes },
): GroupObservation {
  const startedAt = group.createdAt + world.times.provisioningMs;
  const provisioned = world.now >= startedAt;
  const shown = (container: GroupInitContainer, state: (image: ImageBehaviour) => ContainerLife): ObservedContainer => {
    const plain = { name: container.name, image: container.image };
    if (!provisioned || group.stopped) return plain;
    return { ...plain, instanceView: { ...state(world.behaviours[container.image] ?? {}), events: [] } };
  };
  const timing = { startedAt, now: world.now, restartPolicy: group.body.restartPolicy };
  const containers = group.body.containers.map((container) => shown(container, (image) => live(image, timing)));
  const seen: GroupObservation = {
    name: group.name,
    tags: group.body.tags,
    provisioningState: provisioned ? 'Succeeded' : 'Pending',
    state: groupState(group, containers, provisioned),
    restartPolicy: group.body.restartPolicy,
    containers,
    initContainers: group.body.initContainers.map((container) => shown(container, () => completed(startedAt))),
    events: [],
  };
  return group.override === undefined ? seen : group.override(seen);
}

/** Whether the group can be PUT or stopped, or is on its way to another state. */
export const isProvisioned = (group: MemoryGroup, now: number, times: GroupTimes): boolean =>
  now >= group.createdAt + times.provisioningMs;

interface ContainerLife {
  readonly restartCount: number;
  readonly currentState: ObservedState;
  readonly previousState?: ObservedState;
}

const completed = (at: number): ContainerLife => ({ restartCount: 0, currentState: terminated(at, at, 0) });

function live(
  image: ImageBehaviour,
  timing: { readonly startedAt: number; readonly now: number; readonly restartPolicy: GroupBody['restartPolicy'] },
): ContainerLife {
  const { startedAt, now, restartPolicy } = timing;
  const { runMs, exitCode = 0 } = image;
  if (runMs === undefined || now < startedAt + runMs) return { restartCount: 0, currentState: running(startedAt) };
  const again = restartPolicy === 'Always' || (restartPolicy === 'OnFailure' && exitCode !== 0);
  if (!again) return { restartCount: 0, currentState: terminated(startedAt, startedAt + runMs, exitCode) };
  const restartCount = Math.floor((now - startedAt) / Math.max(1, runMs));
  const lastStart = startedAt + restartCount * runMs;
  return {
    restartCount,
    currentState: running(lastStart),
    previousState: terminated(lastStart - runMs, lastStart, exitCode),
  };
}

const running = (at: number): ObservedState => ({ state: 'Running', startTime: time(at), detailStatus: '' });

const terminated = (from: number, to: number, exitCode: number): ObservedState => ({
  state: 'Terminated',
  startTime: time(from),
  finishTime: time(to),
  exitCode,
  detailStatus: exitCode === 0 ? 'Completed' : 'Error',
});

const time = (ms: number): string => new Date(ms).toISOString();

function groupState(group: MemoryGroup, containers: readonly ObservedContainer[], provisioned: boolean): string {
  if (!provisioned) return 'Pending';
  if (group.stopped) return 'Stopped';
  const exits = containers.map((container) => container.instanceView?.currentState?.exitCode);
  if (exits.includes(undefined)) return 'Running';
  return exits.every((exit) => exit === 0) ? 'Succeeded' : 'Failed';
}

export const coresOf = (containers: readonly GroupContainer[]): number =>
  containers.reduce((sum, container) => sum + container.resources.requests.cpu, 0);
