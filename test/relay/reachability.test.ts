import { describe, expect, it } from 'vitest';
import { AppWatcher } from '../../infra/cluster/relay/app/app-watcher.ts';
import { firstReach, reach } from '../../infra/cluster/relay/app/reachability.ts';
import { cannedServer, never } from '../adapters/kubernetes/canned-server.ts';
import { until } from './fake-app.ts';

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

describe('what a person reads at each Node', () => {
  it('is that the app took nothing, and why; and that it does again', async () => {
    await using server = await cannedServer({ status: 201, body: { kind: 'Event' } });
    const log = { info: () => undefined, warn: () => undefined };
    const watcher = new AppWatcher({ client: server.client, nodes: ['aci-1', 'aci-2'], log }, never);
    const away = { kind: 'again', cause: 'ECONNREFUSED', retryAfterMs: undefined, isUnknown: false } as const;
    watcher.note(away, 0);
    watcher.note(away, 60_000);
    watcher.note({ kind: 'refused', status: 400 }, 61_000);
    await until('four events', () => server.received.length === 4);
    const events = server.received.map(({ body }) => JSON.parse(body));
    expect(events.map(({ reason, type, involvedObject }) => [reason, type, involvedObject.name])).toEqual([
      ['AppUnreachable', 'Warning', 'aci-1'],
      ['AppUnreachable', 'Warning', 'aci-2'],
      ['AppReachable', 'Normal', 'aci-1'],
      ['AppReachable', 'Normal', 'aci-2'],
    ]);
    expect(events[0].message).toContain('ECONNREFUSED');
    expect(server.received.every(({ url }) => url.pathname === '/api/v1/namespaces/default/events')).toBe(true);
  });
});
