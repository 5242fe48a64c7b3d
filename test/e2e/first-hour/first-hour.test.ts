/** The first hour of an operator who has an ordinary node and attaches the virtual one: unattended. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoMachine } from '../../../infra/local/machine/machine.ts';
import { until } from '../until.ts';
import { clientObjects } from './client-job.ts';
import { Shop, namespace, parts } from './shop.ts';

const nodeOf = { vm: 'vm-1', aci: 'aci-1' };

/** Each chart on either node; the next mix moves as little as can be (a Gray code). */
const mixes: readonly (readonly [front: keyof typeof nodeOf, api: keyof typeof nodeOf, store: keyof typeof nodeOf])[] =
  [
    ['vm', 'vm', 'vm'],
    ['vm', 'vm', 'aci'],
    ['vm', 'aci', 'aci'],
    ['vm', 'aci', 'vm'],
    ['aci', 'aci', 'vm'],
    ['aci', 'vm', 'vm'],
    ['aci', 'vm', 'aci'],
    ['aci', 'aci', 'aci'],
  ];

const isOnlyNew = (tokens: readonly string[]): boolean => !tokens.includes('services-a');

/** Each calls the API by its Service's name. */
const burst = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'burst' },
  spec: {
    completions: 20,
    parallelism: 20,
    completionMode: 'Indexed',
    backoffLimit: 0,
    template: {
      spec: {
        restartPolicy: 'Never',
        nodeSelector: { type: 'virtual-kubelet' },
        tolerations: [{ key: 'virtual-kubelet.io/provider', operator: 'Exists' }],
        containers: [
          {
            name: 'main',
            image: 'docker.io/library/debian:bookworm',
            command: ['bash', '-ec', 'curl -sS --fail --retry 5 --retry-all-errors --retry-delay 1 http://api/count'],
          },
        ],
      },
    },
  },
};

describe.skipIf(whyNoMachine() !== undefined && process.env['CI'] !== 'true')('the first hour', () => {
  let shop: Shop;
  beforeAll(async () => {
    shop = await Shop.open();
    await shop.kubectl(['create', 'namespace', namespace]);
  });
  afterAll(() => shop?.close());

  it('has both nodes', async () => {
    const ready = '{range .items[*]}{.metadata.name}={.status.conditions[?(@.type=="Ready")].status} {end}';
    expect(await shop.kubectl(['get', 'nodes', '-o', `jsonpath=${ready}`])).toBe('aci-1=True vm-1=True ');
  });

  it.each(mixes)('answers with its front on %s, its API on %s and its store on %s', async (front, api, store) => {
    const places = { front, api, store };
    // Who asks another comes after it.
    for (const part of parts.toReversed()) await shop.install(part, places[part]);
    if (shop.url === '') await shop.openIngress();
    await shop.answered();
    for (const part of parts)
      await until(
        `${part} is on ${places[part]} alone`,
        () => shop.nodesOf(part),
        (nodes) => nodes.join(' ') === nodeOf[places[part]],
        60_000,
      );
    // Both replicas of each part have their turn.
    const served = await Promise.all(Array.from({ length: 12 }, () => shop.ask('/all')));
    expect(served.filter(({ status }) => status !== 200)).toEqual([]);
  });

  it('serves a burst of Jobs beside it, each of which is counted', async () => {
    const before = Number(/store-0 (\d+)/.exec((await shop.answered()).text)?.[1]);
    await shop.kubectl(['apply', '-f', '-'], { input: JSON.stringify(burst) });
    const { failed } = await shop.under(() =>
      shop.kubectl(['wait', 'job/burst', '--for=condition=complete', '--timeout=170s'], { timeoutMs: 180_000 }),
    );
    expect(failed).toEqual([]);
    const after = Number(/store-0 (\d+)/.exec((await shop.answered()).text)?.[1]);
    // A Job asks again where it got no answer.
    expect(after).toBeGreaterThanOrEqual(before + 20);
  });

  it('is upgraded, part by part', async () => {
    for (const part of parts.toReversed()) await shop.install(part, 'aci', '2');
    expect((await shop.answered('2')).status).toBe(200);
  });

  it('goes on while chart and app are upgraded', async () => {
    const { failed, asked } = await shop.under(async () => {
      expect(await shop.attach('--set', 'podLabels.round=second')).toContain('chart installed');
      await shop.restartApp();
      const ready = ['rollout', 'status', 'deployment/relay', '--timeout=60s'];
      await shop.kubectl(['-n', 'serverless-kubelet', ...ready], { timeoutMs: 70_000 });
      await shop.install('api', 'aci', '3');
    });
    expect(asked).toBeGreaterThan(10);
    // A pod that goes has no hook to wait in until nobody asks it any more.
    expect(failed.length).toBeLessThan(asked / 20);
    expect((await shop.answered('3')).status).toBe(200);
  });

  it('lets client libraries reach the API server, whose name they verify', async () => {
    const items = await clientObjects();
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    await shop.kubectl(['apply', '--server-side', '-f', '-'], { input });
    const done = ['wait', 'job/client', 'job/names', '--for=condition=complete', '--timeout=90s'];
    await shop.kubectl(done, { timeoutMs: 100_000 });
    expect(await shop.kubectl(['logs', 'job/client'])).toMatch(/^1 pod at \d+\.\d+\.\d+\.\d+\n$/);
    // Nobody is let in without a token, and all three were the API server.
    expect(await shop.kubectl(['logs', 'job/names'])).toBe('401\n401\n401\n');
  });

  it('gives the groups another token for Services without a failed request', async () => {
    const { failed, asked } = await shop.under(async () => {
      expect(await shop.attach('--set', 'podLabels.round=second', '--rotate-services')).toContain(
        'Secret services-b made',
      );
      for (let turn = 0; turn < 5; turn++) await shop.answered();
    });
    expect(asked).toBeGreaterThan(10);
    expect(failed).toEqual([]);
    // Who has the former token goes on with it, and new groups have the other.
    expect(await shop.tokensOf('front')).toEqual(['services-a']);
    // The app hears of a registration within a minute.
    const tokensOfNew = async (): Promise<readonly string[]> => {
      await shop.restart('front');
      return shop.tokensOf('front');
    };
    const tokens = await until('new groups have the other token', tokensOfNew, isOnlyNew, 150_000);
    expect(tokens).toEqual(['services-b']);
    expect((await shop.answered('3')).status).toBe(200);
  });

  it('moves to the ordinary node when the virtual one is drained', async () => {
    // Both nodes will do for the pods, and the ordinary one has no room while they come.
    await shop.kubectl(['cordon', 'vm-1']);
    for (const part of parts.toReversed()) await shop.install(part, 'any', '4');
    expect(await shop.nodesOf('front')).toEqual(['aci-1']);
    await shop.kubectl(['uncordon', 'vm-1']);
    const drain = ['drain', 'aci-1', '--ignore-daemonsets', '--delete-emptydir-data', '--timeout=150s'];
    await shop.kubectl(drain, { timeoutMs: 160_000 });
    // All pods of a part are evicted at once, so it is away until those on the other node have started, and no longer.
    expect((await shop.answered('4')).status).toBe(200);
    for (const part of parts) expect(await shop.nodesOf(part)).toEqual(['vm-1']);
    const { failed, asked } = await shop.under(() => sleep(5_000));
    expect(asked).toBeGreaterThan(10);
    expect(failed).toEqual([]);
    const groups = () => shop.groups();
    expect(await until('no group is left', groups, ({ length }) => length === 0, 120_000)).toEqual([]);
  });

  it('goes on without the virtual node after detach', async () => {
    const { failed } = await shop.under(() => shop.command('detach', '--nodes', 'aci-1'));
    expect(failed).toEqual([]);
    await shop.answered();
    expect(await shop.kubectl(['get', 'nodes', '-o', 'name'])).toBe('node/vm-1\n');
  });
});
