/** The relay's poster over a real socket to an app that answers as it is reported. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppClient } from '../../infra/cluster/relay/app/app-client.ts';
import { Poster } from '../../infra/cluster/relay/app/poster.ts';
import type { MetricsAnswer, MetricsQuery } from '../../shared/wire/relay-protocol/group-metrics.ts';
import type { PodKey } from '../../shared/wire/relay-protocol/pod-events.ts';
import { FakeApp, until } from '../relay/fake-app.ts';

const key = (uid: string, generation = 1): PodKey => ({
  node: 'aci-1',
  namespace: 'default',
  name: uid,
  uid,
  resourceVersion: String(generation),
  generation,
});

let app: FakeApp;
let client: AppClient;
let poster: Poster;
let token = 'token-1';
let hasPods = true;
let logged: string[] = [];
let takenMetrics: MetricsAnswer[] = [];
const query: MetricsQuery = { node: 'aci-1', namespace: 'default', name: 'a', uid: 'u1', sinceMs: 0 };

beforeEach(async () => {
  app = await FakeApp.start();
  token = 'token-1';
  hasPods = true;
  logged = [];
  takenMetrics = [];
  const note = (message: string, fields: object = {}): void => {
    logged.push(`${message} ${JSON.stringify(fields)}`);
  };
  client = new AppClient({
    url: app.url,
    caFile: undefined,
    getToken: async (options) => (options?.fresh === true ? token : 'token-1'),
    clusterUid: 'cluster-1',
    userAgent: 'test',
  });
  poster = new Poster({
    app: client,
    epoch: 'epoch-1',
    hasPods: () => hasPods,
    log: { info: note, warn: note },
    random: () => 0,
    metrics: { takeQueries: () => [query], take: (answer) => void takenMetrics.push(answer) },
  });
});

afterEach(async () => {
  poster.close();
  client.close();
  await app.close();
});

describe('posts', () => {
  it('gather what comes within a moment, and count up', async () => {
    poster.onChange(key('a'));
    poster.onChange(key('b'));
    await until('both', () => app.uids.length === 2);
    poster.onChange(key('c'));
    await until('the third', () => app.uids.length === 3);
    expect(app.posts.map(({ epoch, seq, kind }) => ({ epoch, seq, kind }))).toEqual([
      { epoch: 'epoch-1', seq: 0, kind: 'delta' },
      { epoch: 'epoch-1', seq: 1, kind: 'delta' },
    ]);
    expect(app.requests[0]).toEqual({ path: '/api/clusters/cluster-1/pod-events', authorization: 'Bearer token-1' });
  });

  it('of what comes while others are on their way do not wait for them', async () => {
    app.refuse = () => ({ status: 503, delayMs: 3_000 });
    const many = (round: string): void => {
      for (let pod = 0; pod < 64; pod += 1) poster.onChange(key(`${round}-${pod}`));
    };
    many('first');
    await until('four posts', () => app.mostAtOnce === 4, 1_000);
    for (let round = 0; round < 10; round += 1) {
      many(`then-${round}`);
      await sleep(100);
    }
    expect(app.mostAtOnce).toBe(16);
  });

  it('of a burst go four at a time, never two with the same pod, and bring the newest state of each', async () => {
    app.refuse = () => (Math.random() < 0.3 ? { status: 503, delayMs: 1 } : undefined);
    for (let round = 1; round <= 5; round += 1) {
      for (let pod = 0; pod < 60; pod += 1) poster.onChange(key(`u${pod}`, round));
      await sleep(60);
    }
    app.refuse = () => undefined;
    await until('an empty outbox', () => poster.backlog === 0, 15_000);
    const newest = new Map(app.posts.flatMap(({ pods }) => pods.map(({ uid, generation }) => [uid, generation])));
    expect([...newest.values()]).toEqual(Array.from({ length: 60 }, () => 5));
    expect(app.overlapping).toEqual([]);
    expect(app.mostAtOnce).toBeLessThanOrEqual(16);
    expect(app.malformed).toEqual([]);
  });

  it('are repeated, one at a time, until the app takes them', async () => {
    app.refuse = () => ({ status: 503 });
    for (let pod = 0; pod < 40; pod += 1) poster.onChange(key(`u${pod}`));
    // Four lanes fail together; then one asks alone.
    await until('one more', () => app.requests.length > 4);
    await sleep(100);
    expect(app.requests.length).toBeLessThan(7);
    app.refuse = () => undefined;
    await until('an empty outbox', () => poster.backlog === 0);
    expect(new Set(app.uids).size).toBe(40);
  });

  it('wait as long as Retry-After says', async () => {
    app.refuse = () => ({ status: 429, headers: { 'retry-after': '1' } });
    poster.onChange(key('a'));
    await sleep(900);
    expect(app.requests).toHaveLength(1);
    app.refuse = () => undefined;
    await until('the second', () => app.uids.length === 1);
  });

  it('that the app refuses for good are dropped, with a line in the log', async () => {
    app.refuse = ({ pods }) => (pods.some(({ uid }) => uid === 'bad') ? { status: 400 } : undefined);
    poster.onChange(key('bad'));
    await until('the refusal', () => logged.some((line) => line.includes('refused')));
    poster.onChange(key('good'));
    await until('an empty outbox', () => poster.backlog === 0);
    expect(app.uids).toEqual(['good']);
    expect(app.requests).toHaveLength(2);
  });

  it('with a token that was replaced are sent again with the new one, at once', async () => {
    token = 'token-2';
    app.refuse = () => (app.requests.at(-1)?.authorization === 'Bearer token-2' ? undefined : { status: 401 });
    poster.onChange(key('a'));
    await until('it', () => app.uids.length === 1, 1000);
    expect(logged.join('\n')).not.toContain('token-');
  });

  it('to an app that did not know us go as soon as a pod comes, and the first do not hold up the rest', async () => {
    app.refuse = () => ({ status: 401 });
    poster.onSnapshot([]);
    // Each is tried with a fresh token besides; the next wait is four seconds.
    await until('the fourth failure', () => logged.filter((line) => line.includes('not taken')).length === 4);
    app.refuse = ({ pods }) => (pods.some(({ uid }) => uid === 'u0') ? { status: 503, delayMs: 2000 } : undefined);
    await sleep(1000);
    for (let pod = 0; pod < 20; pod += 1) {
      poster.onChange(key(`u${pod}`));
      await sleep(10);
    }
    await until('the last pod', () => app.uids.includes('u19'), 1000);
    expect(app.uids).not.toContain('u0');
  });

  it('to an app that does not know us go once a second, however much happens', async () => {
    app.refuse = () => ({ status: 401 });
    for (let change = 0; change < 120; change += 1) {
      poster.onChange(key('a', change));
      await sleep(20);
    }
    // Both tokens each.
    expect(app.requests.length).toBeLessThanOrEqual(2 * 4);
  });

  it('outlive an app that is not there', async () => {
    await app.close();
    poster.onChange(key('a'));
    await until('a failure', () => logged.some((line) => line.includes('not taken')));
    expect(logged.join('\n')).toMatch(/ECONNREFUSED|ECONNRESET/);
    expect(poster.backlog).toBe(1);
    app = await FakeApp.start();
  });
});

describe('ticks', () => {
  it('come when the app asked for them', async () => {
    app.nextTickInMs = 1000;
    poster.onSnapshot([key('a')]);
    await until('a tick', () => app.ticks.length === 1, 4000);
    const [snapshot] = app.posts;
    expect(snapshot?.kind).toBe('snapshot');
    const gaps = app.ticks.map(({ at }, index) => at - (app.posts[index]?.at ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThan(900);
    expect(app.ticks.every(({ pods }) => pods.length === 0)).toBe(true);
  });

  it('do not come while there is no pod and nothing due', async () => {
    hasPods = false;
    poster.onSnapshot([]);
    await until('the snapshot', () => app.posts.length === 1);
    await sleep(1300);
    expect(app.ticks).toEqual([]);
  });

  it('come also without a pod while the app has something to do', async () => {
    hasPods = false;
    app.nextTickInMs = 1000;
    poster.onSnapshot([]);
    await until('a tick', () => app.ticks.length === 1, 3000);
    expect(app.posts.map(({ kind }) => kind)).toEqual(['snapshot', 'tick']);
  });

  it('ask for metrics once the app has shown that it knows such questions, and of no app that does not', async () => {
    app.nextTickInMs = 1000;
    poster.onSnapshot([key('a')]);
    await until('a tick', () => app.ticks.length === 1, 4000);
    app.metrics = { pods: [] };
    await until('another', () => app.ticks.length === 2, 4000);
    expect(app.ticks.some(({ metrics }) => metrics !== undefined)).toBe(false);
    await until('its answer', () => takenMetrics.length > 0);
    expect(takenMetrics).toEqual([{ pods: [] }]);
    app.metrics = { pods: [{ uid: 'u1', containers: [{ name: 'c', minutes: [[60_000, 5, 7]] }] }], retryInMs: 5 };
    app.nextTickInMs = 30_000;
    await until('a third', () => app.ticks.length === 3, 4000);
    expect(app.ticks[2]?.metrics).toEqual([query]);
    await until('the answer', () => takenMetrics.length > 1);
    expect(takenMetrics.at(-1)).toEqual(app.metrics);
    // Taken back to an older version, which refuses what it does not know.
    app.refuse = ({ metrics }) => (metrics === undefined ? undefined : { status: 400 });
    app.metrics = undefined;
    poster.tickNow();
    await until('that it was heard', () => takenMetrics.length > 2);
    expect(takenMetrics.at(-1)).toEqual({ pods: [], retryInMs: 0 });
    poster.tickNow();
    await until('a tick without', () => app.ticks.length === 4, 4000);
    expect(app.ticks[3]?.metrics).toBeUndefined();
  });

  it('that bring metrics which make no sense are taken all the same', async () => {
    app.metrics = { pods: 'many' };
    poster.onSnapshot([key('a')]);
    await until('the snapshot', () => app.posts.length === 1);
    await sleep(100);
    expect([poster.backlog, logged]).toEqual([0, []]);
  });

  it('come at once when a renewal path asks, one at a time', async () => {
    app.refuse = ({ kind }) => (kind === 'tick' ? { status: 503, delayMs: 300 } : undefined);
    poster.tickNow();
    poster.tickNow();
    poster.tickNow();
    await sleep(150);
    expect(app.requests).toHaveLength(1);
  });
});
