import type { ContainerRun } from '../group-life.ts';
import type { MemoryContainerGroups } from '../memory-container-groups.ts';
import { isLastRun, policyOf } from './pod-stories.ts';
import type { PodStory } from './pod-stories.ts';
import { runsOf } from './true-status.ts';
import type { Report } from './violation.ts';
import { windowPutAt } from './window.ts';
import type { LateRequest } from './window.ts';

/** An end that ARM showed for so long must have been reported: a term of the lock, a poll, and a stale answer. */
const harvestedWithinMs = 60_000;

export interface EndsToFind {
  readonly stories: Iterable<PodStory>;
  readonly groups: MemoryContainerGroups;
  readonly late: readonly LateRequest[];
}

/**
 * O3, at the end of a life: a container that had ended for good before anybody asked for its pod's deletion has its own
 * code in the pod's last status. A late PUT of the window
 * erases what was there: an end that could not be reported by then, and what ran after it, is not asked for.
 */
export function findLostEnds({ stories, groups, late }: EndsToFind, report: Report): void {
  const erasedFrom = windowPutAt(late) - harvestedWithinMs;
  for (const story of stories) {
    if (story.wasForced) continue;
    const { status } = story.pod;
    for (const { name, state, lastState } of [...status.initContainerStatuses, ...status.containerStatuses]) {
      const ends = runsOf(groups, story.uid).filter(
        (run) => run.container === name && isFinal(story, run) && (run.endedAt ?? 0) < erasedFrom,
      );
      const codes = ends.map(({ exitCode }) => exitCode);
      const said = [state, lastState].flatMap((one) => (one?.kind === 'terminated' ? one.exitCode : []));
      if (codes.length > 0 && !said.some((code) => codes.includes(code)))
        report('O3', `${name} ended with ${codes.join(',')}, and its pod says ${JSON.stringify(state)}`, story.uid);
    }
  }
}

const isFinal = ({ pod, deletedAt }: PodStory, { end, endedAt = Infinity, isInit, exitCode }: ContainerRun): boolean =>
  end === 'exited' && (deletedAt === undefined || endedAt < deletedAt) && isLastRun(policyOf(pod, isInit), exitCode);
