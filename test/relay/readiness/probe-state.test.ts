import { describe, expect, it } from 'vitest';
import { firstState, nextState } from '../../../infra/cluster/relay/readiness/probe-state.ts';

/** `ready` after each probe: `+` succeeds, `-` fails. */
function after(probes: string, thresholds: readonly [success: number, failure: number], ready = false): string {
  const [successThreshold, failureThreshold] = thresholds;
  let state = firstState(ready);
  return probes
    .split('')
    .map((probe) => {
      state = nextState(state, probe === '+' ? 'success' : 'failure', { successThreshold, failureThreshold });
      return state.ready ? 'r' : '.';
    })
    .join('');
}

describe('the readiness of one run', () => {
  it.each<{ it: string; probes: string; thresholds: readonly [number, number]; ready: boolean; states: string }>([
    { it: 'begins with the first success', probes: '+', thresholds: [1, 3], ready: false, states: 'r' },
    { it: 'with as many in a row as asked for', probes: '+-++', thresholds: [2, 1], ready: false, states: '...r' },
    {
      it: 'ends after as many failures in a row',
      probes: '+--+---',
      thresholds: [1, 3],
      ready: false,
      states: 'rrrrrr.',
    },
    { it: 'goes on where another relay left it', probes: '--', thresholds: [1, 3], ready: true, states: 'rr' },
    { it: 'and ends from there', probes: '---', thresholds: [1, 3], ready: true, states: 'rr.' },
    { it: 'never begins while probes fail', probes: '------', thresholds: [1, 3], ready: false, states: '......' },
  ])('$it', ({ probes, thresholds, ready, states }) => expect(after(probes, thresholds, ready)).toBe(states));
});
