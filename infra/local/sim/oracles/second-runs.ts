import type { Pod } from '../../../../shared/core/kubernetes/pod.ts';
import type { ContainerRun } from '../group-life.ts';
import { runsOf } from './true-status.ts';
import type { MemoryContainerGroups } from '../memory-container-groups.ts';
import type { PodStory } from './pod-stories.ts';
import type { Report } from './violation.ts';

/**
 * O2, at the end of a life: every run of a container but its first follows one that Kubernetes would have followed up:
 * the container ended by itself and the restart policy says so, or somebody else took the group away and the policy is
 * not `Never`. A run that our own stop, DELETE or PUT ended is never followed by another.
 */
export function findSecondRuns(stories: Iterable<PodStory>, groups: MemoryContainerGroups, report: Report): void {
  for (const { uid, pod } of stories) {
    const runs = runsOf(groups, uid);
    const lost = new Set(runs.filter(({ end }) => end === 'removed').map(({ group }) => group));
    for (const [container, ofOne] of Map.groupBy(runs, ({ container }) => container)) {
      const sorted = ofOne.toSorted((a, b) => a.startedAt - b.startedAt);
      sorted.slice(1).forEach((run, index) => {
        const before = sorted[index];
        if (before !== undefined && !mayFollow(pod, before, { run, wasLost: lost.has(before.group) }))
          report('O2', `${container} runs again after a run that ${before.end} (${before.exitCode})`, uid);
      });
    }
  }
}

function mayFollow(
  pod: Pod,
  before: ContainerRun,
  { run, wasLost }: { readonly run: ContainerRun; readonly wasLost: boolean },
): boolean {
  const { restartPolicy } = pod.spec;
  if (before.endedAt === undefined || before.endedAt > run.startedAt || restartPolicy === 'Never') return false;
  if (before.end === 'removed' || (wasLost && run.isInit)) return true;
  if (before.end !== 'exited') return false;
  return before.exitCode !== 0 || (restartPolicy === 'Always' && !run.isInit);
}
