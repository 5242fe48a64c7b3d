import { describe, expect, it } from 'vitest';
import { firstReach, reach } from '../../infra/cluster/relay/app/reachability.ts';

/** One post every ten seconds: what is said of the app, and when, in seconds. */
function live(seconds: number, isReached: (second: number) => boolean): readonly string[] {
  const said: string[] = [];
  let state = firstReach;
  for (let second = 0; second <= seconds; second += 10) {
    const next = reach(state, isReached(second), second * 1000);
    state = next.state;
    if (next.say !== 'nothing') said.push(`${next.say} at ${second}`);
  }
  return said;
}

describe('an app', () => {
  it.each([
    ['that answers is no news', 3600, () => true, []],
    ['that is away for less than a minute is none either', 3600, (s: number) => s % 60 === 0, []],
    ['that is away for a minute is', 100, (s: number) => s < 10, ['unreachable at 70']],
    ['that was never there is, too', 100, () => false, ['unreachable at 60']],
    ['that comes back is, once', 600, (s: number) => s >= 100, ['unreachable at 60', 'reachable at 100']],
    [
      'that stays away is, every ten minutes',
      1300,
      () => false,
      ['unreachable at 60', 'unreachable at 660', 'unreachable at 1260'],
    ],
    [
      'that comes and goes is not said to be away more often than that',
      1000,
      (s: number) => s % 100 === 90,
      ['unreachable at 60', 'reachable at 90', 'unreachable at 660', 'reachable at 690'],
    ],
  ])('%s', (_sentence, seconds, isReached, said) => expect(live(seconds, isReached)).toEqual(said));
});
