import { describe, expect, it } from 'vitest';
import { nextPollMs } from '../../../shared/core/reconcile/poll-plan.ts';
import type { PollInput } from '../../../shared/core/reconcile/poll-plan.ts';

const input = (changes: Partial<PollInput>): PollInput => ({
  stage: 'running',
  restartPolicy: 'Never',
  acceptedForMs: 20_000,
  runningForMs: 5000,
  deadlineInMs: undefined,
  endingPods: 1,
  earliestStartMs: undefined,
  random: 0.5,
  ...changes,
});

/** What all polls together take of ARM's 25 reads a second. */
const readsPerSecond = (pods: number): number => (pods * 1000) / nextPollMs(input({ endingPods: pods }));

describe('the next poll', () => {
  it.each([
    ['at a pod that is to end, alone', {}, 5000],
    ['at one of 100 that are to end', { endingPods: 100 }, 5000],
    ['at one of 1,100 that are to end', { endingPods: 1100 }, 50_000],
    ['at one of very many is never farther than a minute', { endingPods: 5000 }, 60_000],
    ['at a pod that just starts', { stage: 'provisioning', acceptedForMs: 1000 }, 2000],
    [
      'at one that starts where others took 8 s',
      { stage: 'provisioning', acceptedForMs: 1000, earliestStartMs: 8000 },
      7000,
    ],
    ['at one that should have started', { stage: 'provisioning', acceptedForMs: 8500, earliestStartMs: 8000 }, 2000],
    [
      'at one that starts where all take a minute',
      { stage: 'provisioning', acceptedForMs: 0, earliestStartMs: 60_000 },
      10_000,
    ],
    [
      'at one that starts where all start at once',
      { stage: 'provisioning', acceptedForMs: 0, earliestStartMs: 300 },
      2000,
    ],
    ['at one that starts among 150', { stage: 'provisioning', acceptedForMs: 1000, endingPods: 150 }, 3750],
    ['at one that starts among 1,000', { stage: 'provisioning', acceptedForMs: 1000, endingPods: 1000 }, 25_000],
    [
      'at a server that has settled, whatever else is there',
      { restartPolicy: 'Always', runningForMs: 120_000 },
      75_000,
    ],
    ['is no later than the deadline', { endingPods: 1000, deadlineInMs: 3000 }, 3000],
  ] as const)('%s', (_, changes, ms) => {
    expect(nextPollMs(input(changes))).toBe(ms);
  });

  it('leaves reads to others, with up to 1,300 pods', () => {
    for (const pods of [1, 50, 100, 500, 1000, 1300]) expect(readsPerSecond(pods)).toBeLessThanOrEqual(22.01);
  });
});
