/** The first hour of an operator who has an ordinary node and attaches the virtual one: unattended. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoMachine } from '../../../infra/local/machine/machine.ts';
import { until } from '../until.ts';
import { Shop, parts } from './shop.ts';
import type { Place } from './shop.ts';

const nodeOf: Readonly<Record<Place, string>> = { vm: 'vm-1', aci: 'aci-1' };

/** Each chart on either node; the next mix moves as little as can be (a Gray code). */
const mixes: readonly (readonly [front: Place, api: Place, store: Place])[] = [
  ['vm', 'vm', 'vm'],
  ['vm', 'vm', 'aci'],
  ['vm', 'aci', 'aci'],
  ['vm', 'aci', 'vm'],
  ['aci', 'aci', 'vm'],
  ['aci', 'vm', 'vm'],
  ['aci', 'vm', 'aci'],
  ['aci', 'aci', 'aci'],
];

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
    await shop.prepare();
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
    for (let turn = 0; turn < 6; turn++) await shop.answered();
  });

  it('serves a burst of Jobs beside it, each of which counts once', async () => {
    const before = Number(/store-0 (\d+)/.exec((await shop.answered()).text)?.[1]);
    await shop.kubectl(['apply', '-f', '-'], { input: JSON.stringify(burst) });
    const { failed } = await shop.under(() =>
      shop.kubectl(['wait', 'job/burst', '--for=condition=complete', '--timeout=170s'], { timeoutMs: 180_000 }),
    );
    expect(failed).toEqual([]);
    expect((await shop.answered()).text).toContain(`store-0 ${before + 20}\n`);
  });

  it('is upgraded, part by part', async () => {
    for (const part of parts.toReversed()) await shop.install(part, 'aci', '2');
    expect((await shop.answered()).text).toMatch(/^api 2 /);
  });

  it('goes on while the relay is upgraded and attach runs again', async () => {
    const { failed, asked } = await shop.under(async () => {
      await shop.kubectl(['-n', 'serverless-kubelet', 'rollout', 'restart', 'deployment/relay']);
      await shop.command('doctor', '--relay', 'outside').catch(() => undefined);
    });
    expect(asked).toBeGreaterThan(0);
    expect(failed).toEqual([]);
  });

  it('moves to the ordinary node when the virtual one is drained', async () => {
    for (const part of parts.toReversed()) await shop.install(part, 'vm', '3');
    await shop.kubectl(
      ['drain', 'aci-1', '--ignore-daemonsets', '--delete-emptydir-data', '--force', '--timeout=120s'],
      {
        timeoutMs: 130_000,
      },
    );
    await shop.answered();
    await until(
      'no group is left',
      () => shop.groups(),
      (left) => left === 0,
      120_000,
    );
  });

  it('goes on without the virtual node after detach', async () => {
    const { failed } = await shop.under(() => shop.command('detach', '--nodes', 'aci-1'));
    expect(failed).toEqual([]);
    await shop.answered();
    expect(await shop.kubectl(['get', 'nodes', '-o', 'name'])).toBe('node/vm-1\n');
  });
});
