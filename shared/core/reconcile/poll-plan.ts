import type { RestartPolicy } from '../kubernetes/pod.ts';

export interface PollInput {
  readonly stage: 'provisioning' | 'running' | 'restarting';
  readonly restartPolicy: RestartPolicy;
  /** Its agents say when it ends. */
  readonly isHeard?: boolean;
  /** Since the PUT was accepted. */
  readonly acceptedForMs: number;
  /** Since the last container started; undefined before. */
  readonly runningForMs: number | undefined;
  /** Until `activeDeadlineSeconds` is over. */
  readonly deadlineInMs: number | undefined;
  readonly endingPods: number;
  /** Before this time after its PUT hardly any group starts, ms. */
  readonly earliestStartMs: number | undefined;
  readonly random: number;
}

/**
 * Reads per second that all polls may use together. Creates, deletes and logs go before them, so that ARM's 25 need not be
 * divided beforehand; servers count as much as pods that are to end, though they are polled less often.
 */
const readsPerSecond = 22;
/** A pod that starts is polled twice as often as its share of them: what comes next is worth knowing soon. */
const startingReadsPerSecond = 40;
/** A group that starts is polled after this time at the latest. */
const latestFirstMs = 10_000;
const closestMs = 5_000;
const farthestMs = 60_000;

/**
 * When to read a group again: closely while it starts, rarely while it serves (ARM reads per running pod and minute
 * ≤ 1), and for a pod that is to end as often as the shared reads allow, since nobody informs us that it ended, unless its
 * agents do.
 */
export function nextPollMs(input: PollInput): number {
  const spread = 1 + (input.random - 0.5) / 10;
  const planned = Math.round(plannedMs(input) * spread);
  return input.deadlineInMs === undefined ? planned : Math.max(500, Math.min(planned, input.deadlineInMs));
}

function plannedMs(input: PollInput): number {
  switch (input.stage) {
    case 'provisioning':
      return Math.max(provisioningMs(input), Math.min(farthestMs, shareMs(input.endingPods, startingReadsPerSecond)));
    case 'restarting':
      return 15_000;
    case 'running':
      return input.restartPolicy === 'Always' || input.isHeard === true
        ? servingMs(input.runningForMs ?? 0)
        : endingMs(input.endingPods);
  }
}

/** What is known of earlier starts spares polls that find nothing; a group that can't start is seen soon all the same. */
function provisioningMs({ acceptedForMs, earliestStartMs = 0 }: PollInput): number {
  if (acceptedForMs < 15_000) return Math.max(2_000, Math.min(earliestStartMs, latestFirstMs) - acceptedForMs);
  if (acceptedForMs < 60_000) return 4_000;
  return acceptedForMs < 300_000 ? 10_000 : 30_000;
}

/** A server that crashes at once is seen early; one that has settled costs a read in 75 s. */
function servingMs(runningForMs: number): number {
  if (runningForMs < 10_000) return 10_000;
  return runningForMs < 60_000 ? 30_000 : 75_000;
}

const endingMs = (endingPods: number): number =>
  Math.min(farthestMs, Math.max(closestMs, shareMs(endingPods, readsPerSecond)));

const shareMs = (pods: number, perSecond: number): number => (pods / perSecond) * 1000;
