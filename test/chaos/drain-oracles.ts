import type { PodStory } from '../../infra/local/sim/oracles/pod-stories.ts';
import type { Told } from './agents.ts';
import type { Evidence } from './oracles.ts';

/** A kubelet's least, where the deletion is seen late. */
const leastGraceMs = 2_000;
/** Times of Kubernetes and of words have whole seconds, and a word may be on its way for as long as it is waited for. */
const onItsWayMs = 14_000;
/** From a report that was taken to the status; a term of the lock, and calls that are tried again. */
const writtenWithinMs = 60_000;

/** Of programs that agents were told to end: within the grace, and how they ended is the last that is said of them. */
export const drainedTruly = (evidence: Evidence, told: readonly Told[]): string[] =>
  told.flatMap((one) => {
    const { uid } = one.incarnation;
    const story = evidence.stories.get(uid);
    const why = story && (beyondGrace(story, one) ?? unsaid(story, one, evidence.tablesLostAt));
    return why === undefined ? [] : [`drain ${uid}/${one.container}: ${why}`];
  });

function beyondGrace({ pod, deletedAt }: PodStory, { heardAt, by }: Told): string | undefined {
  if (deletedAt === undefined) return undefined;
  const over = deletedAt + pod.spec.terminationGracePeriodSeconds * 1000;
  return by > Math.max(over, heardAt + leastGraceMs) + onItsWayMs
    ? `it may run until ${instant(by)}, and its grace ends at ${instant(over)}`
    : undefined;
}

function unsaid(
  { pod, wasForced }: PodStory,
  { taken, heardAt, container, incarnation }: Told,
  tablesLostAt: readonly number[],
): string | undefined {
  if (taken === undefined || wasForced || incarnation.erased?.by === 'world') return undefined;
  // What was only in the rows is lost with them.
  if (tablesLostAt.some((at) => at >= heardAt && at <= taken.at + writtenWithinMs)) return undefined;
  const state = pod.status.containerStatuses.find(({ name }) => name === container)?.state;
  return state?.kind === 'terminated' && state.exitCode === taken.exitCode
    ? undefined
    : `it ended with ${taken.exitCode}, which was reported, and its status says ${JSON.stringify(state)}`;
}

const instant = (ms: number): string => (Number.isFinite(ms) ? new Date(ms).toISOString() : 'never');
