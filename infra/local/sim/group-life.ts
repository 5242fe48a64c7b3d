import type {
  GroupBody,
  GroupContainer,
  GroupObservation,
  InstanceView,
  ObservedContainer,
  ObservedState,
} from '../../../shared/core/group/group.ts';
import { runGroup } from './container-runs.ts';
import type { Behaviours, GroupRuns, ProgramEnds, Run, RunHistory } from './container-runs.ts';

export interface MemoryGroup {
  readonly name: string;
  readonly body: GroupBody;
  readonly createdAt: number;
  readonly stopped: boolean;
  /** What agents have heard. */
  readonly ends?: ProgramEnds;
  /** Set by a test: how ARM is to show the group, whatever its containers do. */
  readonly override: ((seen: GroupObservation) => GroupObservation) | undefined;
}

export interface GroupTimes {
  /** From the PUT to the start of the first container. Without init containers the group is `Succeeded` then. */
  readonly provisioningMs: number;
}

export interface GroupWorld {
  readonly now: number;
  readonly behaviours: Behaviours;
  readonly times: GroupTimes;
}

/** Why a run is over, or that it isn't. `replaced`: a PUT of the same name; `removed`: somebody else's hand. */
export type RunEnd = 'running' | 'exited' | 'stopped' | 'deleted' | 'replaced' | 'removed';

/** One run of one container, of whichever group. */
export interface ContainerRun {
  readonly group: string;
  readonly tags: GroupBody['tags'];
  readonly container: string;
  readonly isInit: boolean;
  readonly startedAt: number;
  readonly end: RunEnd;
  readonly endedAt: number | undefined;
  /** Of a run that ended by itself. */
  readonly exitCode: number | undefined;
}

/** All runs of a group that lived until `over.at`, or lives still. */
export function listRuns(
  group: Pick<MemoryGroup, 'name' | 'body' | 'createdAt' | 'ends'>,
  world: GroupWorld,
  over?: { readonly at: number; readonly end: RunEnd },
): readonly ContainerRun[] {
  const until = Math.min(world.now, over?.at ?? world.now);
  const from = group.createdAt + world.times.provisioningMs;
  const runs = runGroup(group.body, world.behaviours, { from, until, ends: group.ends });
  const describe = ([container, { runs }]: [string, RunHistory], isInit: boolean): ContainerRun[] =>
    runs.map((run) => ({
      group: group.name,
      tags: group.body.tags,
      container,
      isInit,
      startedAt: run.startedAt,
      end: run.end === undefined ? (over?.end ?? 'running') : 'exited',
      endedAt: run.end?.at ?? over?.at,
      exitCode: run.end?.exitCode,
    }));
  return [
    ...[...runs.init].flatMap((entry) => describe(entry, true)),
    ...[...runs.main].flatMap((entry) => describe(entry, false)),
  ];
}

/** How ARM shows a group at `now`: a function of its body, its age and what its images do. */
export function observeGroup(group: MemoryGroup, world: GroupWorld): GroupObservation {
  const runs = groupRunsOf(group, world);
  const provisioningState = provisioning(group, runs, world);
  // Neither a PUT's answer nor a stopped group has instance views (docs/aci.md, Requests).
  const detailed = provisioningState !== 'Pending' && !group.stopped;
  const shown = (
    history: RunHistory | undefined,
    { name, image }: { name: string; image: string },
  ): ObservedContainer => ({
    name,
    image,
    ...(detailed ? { instanceView: view(history?.runs ?? [], history?.settledAt !== undefined) } : {}),
  });
  const seen: GroupObservation = {
    name: group.name,
    tags: group.body.tags,
    provisioningState,
    state: groupState(group, runs),
    restartPolicy: group.body.restartPolicy,
    containers: group.body.containers.map((container) => shown(runs.main.get(container.name), container)),
    initContainers: group.body.initContainers.map((container) => shown(runs.init.get(container.name), container)),
    events: [],
  };
  return group.override === undefined ? seen : group.override(seen);
}

/** Whether the group can be PUT or stopped, or is on its way to another state. */
export const isProvisioned = (group: MemoryGroup, world: GroupWorld): boolean =>
  provisioning(group, groupRunsOf(group, world), world) === 'Succeeded';

/** What ran in a group until now. */
export const groupRunsOf = (group: MemoryGroup, { now, behaviours, times }: GroupWorld): GroupRuns =>
  runGroup(group.body, behaviours, { from: group.createdAt + times.provisioningMs, until: now, ends: group.ends });

/** Provisioned once every container was started, or none will be. */
function provisioning(group: MemoryGroup, runs: GroupRuns, { now, times }: GroupWorld): string {
  if (now < group.createdAt + times.provisioningMs) return 'Pending';
  return runs.initializedAt === undefined && runs.initFailedAt === undefined ? 'Creating' : 'Succeeded';
}

function groupState(group: MemoryGroup, { main, initializedAt, initFailedAt }: GroupRuns): string {
  if (group.stopped) return 'Stopped';
  if (initFailedAt !== undefined) return 'Failed';
  if (initializedAt === undefined) return 'Pending';
  const histories = [...main.values()];
  if (histories.some(({ settledAt }) => settledAt === undefined)) return 'Running';
  return histories.every(({ runs }) => runs.at(-1)?.end?.exitCode === 0) ? 'Succeeded' : 'Failed';
}

/** Between two runs ACI counts the coming one already and shows the last as the one before. */
function view(runs: readonly Run[], isSettled: boolean): InstanceView {
  const last = runs.at(-1);
  const plain = { events: [] };
  if (last === undefined) return { ...plain, restartCount: 0, currentState: { state: 'Waiting', detailStatus: '' } };
  const isParked = last.end?.isParked === true;
  const isWaiting = last.end !== undefined && !isSettled && !isParked;
  const previous = isWaiting ? last : runs.at(-2);
  const detailStatus = `CrashLoopBackOff: Back-off restarting failed container`;
  return {
    ...plain,
    restartCount: isWaiting ? runs.length : runs.length - 1,
    currentState: isWaiting ? { state: 'Waiting', detailStatus } : shownRun(last),
    ...(previous === undefined ? {} : { previousState: shownRun(previous) }),
  };
}

const shownRun = ({ startedAt, end }: Run): ObservedState =>
  end === undefined || end.isParked === true
    ? { state: 'Running', startTime: time(startedAt), detailStatus: '' }
    : {
        state: 'Terminated',
        startTime: time(startedAt),
        finishTime: time(end.at),
        exitCode: end.exitCode,
        detailStatus: end.exitCode === 0 ? 'Completed' : 'Error',
      };

const time = (ms: number): string => new Date(ms).toISOString();

export const coresOf = (containers: readonly GroupContainer[]): number =>
  containers.reduce((sum, container) => sum + container.resources.requests.cpu, 0);
