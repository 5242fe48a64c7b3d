import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ReadinessProber } from '../../../infra/cluster/relay/readiness/prober.ts';
import type { ReadinessTarget } from '../../../infra/cluster/relay/readiness/targets.ts';
import type { PodKey } from '../../../shared/wire/relay-protocol/pod-events.ts';

const noon = Date.parse('2026-11-23T12:00:00Z');
const key: PodKey = { node: 'aci-1', namespace: 'd', name: 'p', uid: 'u1', resourceVersion: '1', generation: 1 };

const targetOf = (
  changes: Partial<ReadinessTarget> = {},
  probe: Partial<ReadinessTarget['probe']> = {},
): ReadinessTarget => ({
  container: 'c',
  startedAt: '2026-11-23T12:00:00Z',
  ready: false,
  address: '10.0.0.4',
  port: 80,
  probe: {
    handler: { kind: 'tcpSocket', port: 80 },
    initialDelaySeconds: 0,
    periodSeconds: 10,
    timeoutSeconds: 1,
    successThreshold: 1,
    failureThreshold: 3,
    ...probe,
  },
  ...changes,
});

let answer: string | undefined | Promise<string | undefined>;
let probed: number[];
let reports: { at: number; readiness: PodKey['readiness'] }[];
let prober: ReadinessProber;
const seconds = (): number => (Date.now() - noon) / 1000;

beforeEach(() => {
  vi.useFakeTimers({ now: noon });
  answer = undefined;
  probed = [];
  reports = [];
  prober = new ReadinessProber({
    run: () => {
      probed.push(seconds());
      return Promise.resolve(answer);
    },
    onReport: ({ readiness }) => void reports.push({ at: seconds(), readiness }),
    random: () => 0.5,
  });
});
afterEach(() => {
  prober.close();
  vi.useRealTimers();
});

const pass = (time: number) => vi.advanceTimersByTimeAsync(time * 1000);
const set = (...targets: readonly ReadinessTarget[]) => prober.set({ key, targets });
const said = () =>
  reports.map(
    ({ at, readiness }) =>
      `${at}: ${(readiness ?? []).map((r) => `${r.container}=${r.ready}${r.message === undefined ? '' : ` ${r.message}`}`).join(', ')}`,
  );

describe('a container that has just started', () => {
  it('is probed after its delay, then every period', async () => {
    set(targetOf({}, { initialDelaySeconds: 5 }));
    await pass(30);
    expect(probed).toEqual([5, 15, 25]);
  });

  it('is reported ready, again until the status says so, and then no more', async () => {
    set(targetOf());
    await pass(11);
    expect(said()).toEqual(['0: c=true', '5: c=true', '10: c=true']);
    set(targetOf({ ready: true }));
    await pass(60);
    expect(said()).toHaveLength(3);
  });

  it('is reported again long before its next probe', async () => {
    set(targetOf({}, { periodSeconds: 3600 }));
    await pass(6);
    expect(said()).toEqual(['0: c=true', '5: c=true']);
    set(targetOf({ ready: true }, { periodSeconds: 3600 }));
    await pass(60);
    expect(said()).toHaveLength(2);
  });

  it('is reported at once when the report of the opposite may still be on its way', async () => {
    set(targetOf({ ready: true }, { failureThreshold: 1 }));
    answer = 'refused';
    await pass(1);
    answer = undefined;
    await pass(10);
    expect(said()).toEqual(['0: c=false refused', '5: c=false', '10: c=true']);
  });

  it('is reported with each new failure, and when it is no longer ready', async () => {
    set(targetOf({ ready: true }));
    answer = 'refused';
    await pass(35);
    expect(said()).toEqual([
      '0: c=true refused',
      '20: c=false refused',
      '25: c=false',
      '30: c=false refused',
      '35: c=false',
    ]);
  });

  it('with a failure that lasts, once in ten minutes', async () => {
    set(targetOf());
    answer = 'refused';
    await pass(1205);
    expect(said()).toEqual(['0: c=false refused', '600: c=false refused', '1200: c=false refused']);
  });
});

it('a pod that says something else with each failure is an event a minute', async () => {
  let count = 0;
  prober = new ReadinessProber({
    run: () => Promise.resolve(`failure ${(count += 1)}`),
    onReport: ({ readiness }) => void reports.push({ at: seconds(), readiness }),
    random: () => 0.5,
  });
  set(targetOf({}, { periodSeconds: 1 }));
  await pass(125);
  expect(said()).toEqual(['0: c=false failure 1', '60: c=false failure 61', '120: c=false failure 121']);
});

describe('many probes', () => {
  const begin = (count: number, probe: Partial<ReadinessTarget['probe']>): void => {
    for (let at = 0; at < count; at += 1)
      prober.set({ key: { ...key, uid: `u${at}` }, targets: [targetOf({ container: `c${at}` }, probe)] });
  };

  it('that are not answered for an hour hold up no others', async () => {
    answer = new Promise(() => undefined);
    begin(64, { timeoutSeconds: 3600 });
    await pass(0.1);
    prober.set({ key: { ...key, uid: 'other' }, targets: [targetOf()] });
    await pass(0.1);
    expect(probed).toHaveLength(64);
    await pass(0.1);
    expect(probed).toHaveLength(65);
  });

  it('are not made any more of a pod that has gone while they waited', async () => {
    answer = new Promise(() => undefined);
    begin(65, {});
    await pass(0.1);
    prober.remove('u64');
    await pass(60);
    expect(probed).toHaveLength(64);
  });
});

it.each<[string, Partial<ReadinessTarget['probe']>, number]>([
  ['period', { periodSeconds: 2_147_483_647 }, 1],
  ['delay', { initialDelaySeconds: 2_147_483_647 }, 0],
])('a %s that is longer than any timer is no short one', async (_, probe, count) => {
  set(targetOf({}, probe));
  await pass(5);
  expect(probed).toHaveLength(count);
});

describe('a relay that begins to lead', () => {
  it('spreads the first probes of what has run for long', async () => {
    set(targetOf({ ready: true, startedAt: '2026-11-23T11:00:00Z' }));
    await pass(4);
    expect(probed).toEqual([]);
    await pass(2);
    expect(probed).toEqual([5]);
    expect(reports).toEqual([]);
  });
});

describe('probing ends', () => {
  it.each<[string, () => void]>([
    ['with the pod', () => prober.remove('u1')],
    ['with the run', () => set()],
    ['with the leader', () => prober.close()],
  ])('%s', async (_, end) => {
    set(targetOf());
    await pass(1);
    end();
    await pass(60);
    expect([probed.length, prober.size]).toEqual([1, 0]);
  });

  it('and begins anew with the next run', async () => {
    set(targetOf());
    await pass(1);
    set(targetOf({ startedAt: '2026-11-23T12:00:01Z' }));
    await pass(1);
    expect(probed).toEqual([0, 1]);
  });
});

it('what several containers of a pod have to say goes together', async () => {
  set(targetOf(), targetOf({ container: 'd' }));
  await pass(1);
  expect(said().at(-1)).toBe('0: d=true, c=true');
});
