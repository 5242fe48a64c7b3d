import { fail, ok } from '../../../shared/core/fault.ts';
import type { Fault, Result } from '../../../shared/core/fault.ts';
import type { GroupObservation } from '../../../shared/core/group/group.ts';
import type { StreamSession } from '../../../shared/core/streams/stream-session.ts';
import type { AttachRequest, ContainerGroups } from '../../../shared/ports/container-groups.ts';
import { behaviourOf } from './container-runs.ts';
import { averagesOf } from './group-metrics.ts';
import type { Behaviours, ProgramEnd, Run } from './container-runs.ts';
import { createCallGate } from './faults/call-gate.ts';
import type { InjectedFault } from './faults/call-gate.ts';
import { coresOf, groupRunsOf, isProvisioned, listRuns, observeGroup } from './group-life.ts';
import type { ContainerRun, GroupTimes, GroupWorld, MemoryGroup, RunEnd } from './group-life.ts';

export interface MemoryContainerGroupsOptions {
  /** ARM's time in ms. */
  readonly now: () => number;
  /** What containers do, by image name. */
  readonly images?: Behaviours;
  readonly provisioningMs?: number;
  /** For so long after a PUT, GET and LIST do not show the group yet. */
  readonly visibleAfterMs?: number;
  readonly quota?: { readonly groups: number; readonly cores: number };
}

type Method = keyof ContainerGroups;

/** Container groups in memory, for tests and simulations; the same contract suite holds them and the real adapter. */
export interface MemoryContainerGroups extends ContainerGroups {
  readGroup(name: string): MemoryGroup | undefined;
  readonly names: () => readonly string[];
  /** Every PUT that took effect, in order: a name that is here twice had its containers restarted. */
  readonly puts: () => readonly string[];
  /** Every run of a container up to now, group by group in the order of their PUTs. */
  readonly runs: () => readonly ContainerRun[];
  /** The runs of one container that is there, as far as they have begun at `until`. */
  readonly containerRuns: (place: AttachRequest, until: number) => readonly Run[];
  /** How ARM shows a group from now on. */
  overrideGroup(name: string, change: (seen: GroupObservation) => GroupObservation): void;
  /** The agent of a container has heard that its program is to end; a later word takes the place of an earlier one. */
  endProgram(place: AttachRequest, end: ProgramEnd): void;
  /** Somebody else deletes the group. */
  removeGroup(name: string): void;
  /** A group that is there without a PUT of ours. */
  addGroup(group: Pick<MemoryGroup, 'name' | 'body'>): void;
  inject(fault: InjectedFault<Method>): void;
}

const operationPrefix = 'https://arm.memory/operations/';

export function createMemoryContainerGroups(options: MemoryContainerGroupsOptions): MemoryContainerGroups {
  const groups = new Map<string, MemoryGroup>();
  const puts: string[] = [];
  let sessions = 0;
  const { call, inject } = createCallGate<Method>();
  const times: GroupTimes = { provisioningMs: options.provisioningMs ?? 0 };
  const over: { readonly group: MemoryGroup; readonly at: number; readonly end: RunEnd }[] = [];
  const quota = options.quota ?? { groups: 100, cores: 100 };
  const world = (): GroupWorld => ({ now: options.now(), behaviours: options.images ?? {}, times });
  const observe = (group: MemoryGroup): GroupObservation => observeGroup(group, world());
  const visible = (group: MemoryGroup): boolean => options.now() >= group.createdAt + (options.visibleAfterMs ?? 0);
  const usedCores = (): number => [...groups.values()].reduce((sum, group) => sum + coresOf(group.body.containers), 0);
  const newGroup = (group: Pick<MemoryGroup, 'name' | 'body'>): MemoryGroup => ({
    ...group,
    createdAt: options.now(),
    stopped: false,
    override: undefined,
  });

  /** What runs in a group ends here, whatever becomes of the group. */
  const end = (group: MemoryGroup, how: RunEnd): void => {
    if (!group.stopped) over.push({ group, at: options.now(), end: how });
  };
  const remove = (name: string, how: RunEnd): boolean => {
    const group = groups.get(name);
    if (group !== undefined) end(group, how);
    return groups.delete(name);
  };

  const put = (group: Pick<MemoryGroup, 'name' | 'body'>): Result<{ readonly operationUrl: string }> => {
    const existing = groups.get(group.name);
    if (existing !== undefined && !isProvisioned(existing, world())) return fail(transitioning(group.name));
    const cores = coresOf(group.body.containers);
    if (existing === undefined && (groups.size >= quota.groups || usedCores() + cores > quota.cores))
      return fail({ kind: 'capacity', code: 'ContainerGroupQuotaReached', message: 'The quota is used up.' });
    if (existing !== undefined) end(existing, 'replaced');
    // A name that was replaced is where its new PUT is.
    groups.delete(group.name);
    groups.set(group.name, newGroup(group));
    puts.push(group.name);
    return ok({ operationUrl: operationPrefix + group.name });
  };

  const stop = (name: string): Result<void> => {
    const group = groups.get(name);
    if (group === undefined) return fail(notFound(name));
    if (!isProvisioned(group, world())) return fail(transitioning(name));
    if (observe(group).state === 'Running') {
      end(group, 'stopped');
      groups.set(name, { ...group, stopped: true });
    }
    return ok(undefined);
  };

  const get = (name: string): Result<GroupObservation> => {
    const group = groups.get(name);
    return group === undefined || !visible(group) ? fail(notFound(name)) : ok(observe(group));
  };

  const log = (groupName: string, containerName: string): Result<string> => {
    const group = groups.get(groupName);
    if (group === undefined) return fail(notFound(groupName));
    const container = [...group.body.containers, ...group.body.initContainers].find(
      ({ name }) => name === containerName,
    );
    // A stop takes the log with it, as it does the instance view.
    const started = container !== undefined && isProvisioned(group, world()) && !group.stopped;
    if (!started) return fail({ kind: 'not-found', code: 'ContainerLogNotAvailable', message: 'There is no log yet.' });
    return ok(behaviourOf(options.images ?? {}, container.image).log ?? '');
  };

  /** As ACI: of a container that has ended as well; nobody listens at the URI. */
  const session = (groupName: string, containerName: string, kind: string): Result<StreamSession> => {
    const group = groups.get(groupName);
    if (group === undefined) return fail(notFound(groupName));
    if (!isProvisioned(group, world())) return fail(transitioning(groupName));
    if (!group.body.containers.some(({ name }) => name === containerName)) return fail(notFound(containerName));
    sessions += 1;
    const webSocketUri = `wss://aci.memory:19390/${kind}/sessionId/${sessions}?api-version=1.0`;
    return ok({ webSocketUri, password: `memory-password-${sessions}` });
  };

  return {
    list: (signal) =>
      call('list', signal, () =>
        ok(
          [...groups.values()].filter(visible).map((group) => ({
            name: group.name,
            tags: group.body.tags,
            provisioningState: observe(group).provisioningState,
            cpu: coresOf(group.body.containers),
          })),
        ),
      ),
    get: (name, signal) => call('get', signal, () => get(name)),
    createOrUpdate: (name, body, signal) => call('createOrUpdate', signal, () => put({ name, body })),
    delete: (name, signal) => call('delete', signal, () => ok(remove(name, 'deleted') ? 'deleted' : 'absent')),
    stop: (name, signal) => call('stop', signal, () => stop(name)),
    listLogs: (request, signal) =>
      call('listLogs', signal, () => {
        const content = log(request.group, request.container);
        return content.ok && request.tail !== undefined ? ok(lastLines(content.value, request.tail)) : content;
      }),
    listMetrics: (name, window, signal) =>
      call('listMetrics', signal, () => {
        const group = groups.get(name);
        return group === undefined ? fail(notFound(name)) : ok(averagesOf(group, world(), window));
      }),
    exec: ({ group, container }, signal) => call('exec', signal, () => session(group, container, 'execstream')),
    attach: ({ group, container }, signal) => call('attach', signal, () => session(group, container, 'logstream')),
    getOperation: (url, signal) =>
      call('getOperation', signal, () => {
        const group = groups.get(url.slice(operationPrefix.length));
        if (!url.startsWith(operationPrefix) || group === undefined) return fail(notFound(url));
        const { provisioningState, events } = observe(group);
        return ok({ status: provisioningState, events: events.map(({ name, message }) => ({ name, message })) });
      }),
    listUsages: (signal) =>
      call('listUsages', signal, () =>
        ok([
          { name: 'ContainerGroups', current: groups.size, limit: quota.groups },
          { name: 'StandardCores', current: usedCores(), limit: quota.cores },
        ]),
      ),
    readGroup: (name) => groups.get(name),
    names: () => [...groups.keys()],
    puts: () => puts,
    runs: () => [
      ...over.flatMap(({ group, ...ended }) => listRuns(group, world(), ended)),
      ...[...groups.values()].filter(({ stopped }) => !stopped).flatMap((group) => listRuns(group, world())),
    ],
    containerRuns: ({ group: name, container }, until) => {
      const group = groups.get(name);
      if (group === undefined || group.stopped) return [];
      return groupRunsOf(group, { ...world(), now: until }).main.get(container)?.runs ?? [];
    },
    overrideGroup: (name, change) => {
      const group = groups.get(name);
      if (group !== undefined) groups.set(name, { ...group, override: change });
    },
    endProgram: ({ group: name, container }, ended) => {
      const group = groups.get(name);
      if (group !== undefined)
        groups.set(name, { ...group, ends: new Map([...(group.ends ?? []), [container, ended]]) });
    },
    removeGroup: (name) => void remove(name, 'removed'),
    addGroup: (group) => void groups.set(group.name, newGroup(group)),
    inject,
  };
}

function lastLines(content: string, count: number): string {
  const lines = content.endsWith('\n') ? content.slice(0, -1).split('\n') : content.split('\n');
  return count === 0
    ? ''
    : lines
        .slice(-count)
        .map((line) => `${line}\n`)
        .join('');
}

const notFound = (name: string): Fault => ({
  kind: 'not-found',
  code: 'ResourceNotFound',
  message: `${name} was not found.`,
});

const transitioning = (name: string): Fault => ({
  kind: 'conflict',
  code: 'ContainerGroupTransitioning',
  message: `The container group '${name}' is still transitioning, please retry later.`,
});
