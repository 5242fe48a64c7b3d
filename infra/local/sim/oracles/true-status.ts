import { groupOwner } from '../../../../shared/core/group/identity.ts';
import type { ContainerState, Pod } from '../../../../shared/core/kubernetes/pod.ts';
import type { ContainerRun } from '../group-life.ts';
import type { MemoryContainerGroups } from '../memory-container-groups.ts';
import type { Report } from './violation.ts';

type Tags = ContainerRun['tags'];

/** Whose group it is, by its tags; empty: nobody's. */
export const uidOf = (tags: Tags): string => groupOwner(tags)?.uid ?? '';

/** Everything that ran for one pod. */
export const runsOf = (groups: MemoryContainerGroups, uid: string): readonly ContainerRun[] =>
  groups.runs().filter(({ tags }) => uidOf(tags) === uid);

/** The names of one pod's groups. */
export const groupsOf = (groups: MemoryContainerGroups, uid: string): readonly string[] =>
  groups.names().filter((name) => uidOf(groups.readGroup(name)?.body.tags ?? {}) === uid);

/** As Kubernetes writes a time: in whole seconds. */
export const inSeconds = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : new Date(Math.floor(ms / 1000) * 1000).toISOString().replace('.000Z', 'Z');

/**
 * O3: what the status says of a run, its start, end and code, is what was. Only an unknown end is 137 without a run.
 * `runs` are those of the container.
 */
export function isTrue(said: ContainerState, runs: readonly ContainerRun[]): boolean {
  switch (said.kind) {
    case 'waiting':
      return true;
    case 'running':
      return runs.some((run) => inSeconds(run.startedAt) === said.startedAt);
    case 'terminated':
      if (said.reason === 'ContainerStatusUnknown') return said.exitCode === 137;
      return runs.some(
        (run) =>
          run.end === 'exited' &&
          run.exitCode === said.exitCode &&
          inSeconds(run.startedAt) === said.startedAt &&
          inSeconds(run.endedAt) === said.finishedAt,
      );
  }
}

/** Reports what a pod's status says that was not. */
export function findUntrue(pod: Pod, runsOfContainer: (name: string) => readonly ContainerRun[], report: Report): void {
  for (const { name, state, lastState } of [...pod.status.initContainerStatuses, ...pod.status.containerStatuses])
    for (const said of [state, lastState])
      if (said !== undefined && !isTrue(said, runsOfContainer(name)))
        report('O3', `the status of ${name} reports a run that was not: ${JSON.stringify(said)}`, pod.metadata.uid);
}
