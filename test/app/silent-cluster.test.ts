import { describe, expect, it } from 'vitest';
import { handlePodEvents } from '../../shared/app/handle-pod-events.ts';
import { sweep } from '../../shared/app/sweep.ts';
import type { ClusterDeps, Deps, NodeDeps } from '../../shared/app/deps.ts';
import type { NodeApi } from '../../shared/ports/node-api.ts';
import { clusterUid, registration } from '../fixtures/settings.ts';
import type { NodeSetting } from '../fixtures/settings.ts';
import { createWorld } from './world.ts';
import type { World } from './world.ts';

const deadline = 45_000;
const macrotask = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
const transient = { ok: false, fault: { kind: 'transient', message: 'no answer' } } as const;

interface Calls {
  made: number;
}

/** An API server that never answers (`afterMs` undefined), or after so long. */
function late<T extends object>(world: World, api: T, afterMs: number | undefined, calls: Calls): T {
  const isOver = (signal: AbortSignal): Promise<boolean> =>
    new Promise((resolve) => {
      signal.addEventListener('abort', () => resolve(false), { once: true });
      if (afterMs !== undefined)
        world.scheduler.timeout(afterMs).addEventListener('abort', () => resolve(true), { once: true });
    });
  return new Proxy(api, {
    get: (target, key, receiver) => {
      const member: unknown = Reflect.get(target, key, receiver);
      if (typeof member !== 'function' || key === 'now') return member;
      return async (...args: unknown[]): Promise<unknown> => {
        calls.made += 1;
        const signal = args.at(-1);
        // The client's own bound on a request.
        const bound = AbortSignal.any([
          ...(signal instanceof AbortSignal ? [signal] : []),
          world.scheduler.timeout(8_000),
        ]);
        return (await isOver(bound)) ? Reflect.apply(member, target, args) : transient;
      };
    },
  });
}

/** The same processes, with the nodes of `isLate` behind such an API server. */
function withLate(world: World, isLate: (node: NodeDeps) => boolean, afterMs?: number): { deps: Deps; calls: Calls } {
  const calls: Calls = { made: 0 };
  const clusters = [...world.deps.clusters].map(([uid, cluster]): [string, ClusterDeps] => [
    uid,
    {
      ...cluster,
      nodes: new Map(
        [...cluster.nodes].map(([name, node]): [string, NodeDeps] => {
          if (!isLate(node)) return [name, node];
          const api: NodeApi = late(world, node.api, afterMs, calls);
          return [
            name,
            { ...node, api, cluster: { ...node.cluster, api: late(world, node.cluster.api, afterMs, calls) } },
          ];
        }),
      ),
    },
  ]);
  return { deps: { ...world.deps, clusters: new Map(clusters) }, calls };
}

/** Lets time pass until it is done; answers how long it took. */
async function passing<T>(world: World, work: Promise<T>, onSecond: () => void = () => undefined): Promise<number> {
  const from = world.now;
  const state = { isDone: false };
  void work.finally(() => (state.isDone = true));
  for (;;) {
    for (let turn = 0; turn < 50 && !state.isDone; turn += 1) await macrotask();
    if (state.isDone) return world.now - from;
    onSecond();
    world.now += 500;
  }
}

const allNodes = (deps: Deps): readonly NodeDeps[] =>
  [...deps.clusters.values()].flatMap((cluster) => [...cluster.nodes.values()]);

/** Six nodes, `dead-1` to `dead-6`, in clusters of their own or in that of the healthy one, which comes last. */
async function worldWith(where: 'clusters of their own' | 'its cluster', states: Partial<NodeSetting> = {}) {
  const dead = Array.from({ length: 6 }, (_, index) => ({ name: `dead-${index + 1}`, ...states }));
  const clusters =
    where === 'its cluster'
      ? [registration([...dead, { name: 'aci-1' }])]
      : [
          ...dead.map((node, index) => ({
            ...registration([node]),
            name: `c${index}`,
            uid: `7d5a3c1e-0000-4000-8000-00000000010${index}`,
          })),
          registration([{ name: 'aci-1' }]),
        ];
  const world = await createWorld({ settings: { CLUSTERS: JSON.stringify(clusters) } });
  for (const node of allNodes(world.deps)) {
    world.now -= 120_000;
    await world.store.getBirth(node.key);
    world.now += 120_000;
  }
  world.relay = false;
  return world;
}

const isDead = ({ key }: NodeDeps): boolean => key.node.startsWith('dead');

describe.each(['clusters of their own' as const, 'its cluster' as const])('six dead nodes in %s', (where) => {
  it.each([
    { how: 'answer nothing', afterMs: undefined },
    { how: 'answer after 5 s each', afterMs: 5_000 },
  ])('that $how cost the healthy one nothing', async ({ afterMs }) => {
    const world = await worldWith(where);
    world.createPod('serves', { restartPolicy: 'Always' });
    const { deps } = withLate(world, isDead, afterMs);
    let puts: number | undefined;
    const run = sweep(deps, allNodes(deps), { resync: false }, world.scheduler.timeout(deadline));
    const from = world.now;
    const took = await passing(world, run, () => {
      if (puts === undefined && world.groups.puts().length > 0) puts = world.now - from;
    });
    expect([world.groups.puts().length, puts]).toEqual([1, where === 'its cluster' ? 2_000 : 0]);
    expect(took).toBeLessThan(deadline);
  });

  it('that are on their way out hold up nobody', async () => {
    const world = await worldWith(where, { state: 'removed' });
    world.createPod('serves', { restartPolicy: 'Always' });
    const { deps } = withLate(world, isDead);
    const run = sweep(deps, allNodes(deps), { resync: true }, world.scheduler.timeout(deadline));
    expect(await passing(world, run)).toBeLessThan(deadline);
    expect(world.groups.puts()).toHaveLength(1);
  });
});

describe('a silent node', () => {
  it('has its own 200 due pods tried a few at a time, and all of them when it is back', async () => {
    const world = await createWorld();
    for (let index = 0; index < 200; index += 1)
      world.createPod('serves', { restartPolicy: 'Always' }, { name: `p${index}` });
    await world.run(60);
    world.relay = false;
    world.now += 600_000;
    const { deps, calls } = withLate(world, () => true);
    const run = sweep(deps, allNodes(deps), { resync: false }, world.scheduler.timeout(deadline));
    const took = await passing(world, run);
    expect(calls.made).toBeLessThanOrEqual(10);
    expect(took).toBeLessThanOrEqual(20_000);
    await world.sweep();
    expect(world.rows().filter(({ dueAt }) => (dueAt ?? 0) <= world.now)).toEqual([]);
  });
});

describe('the tick of one cluster', () => {
  it('does not hang on another', async () => {
    const world = await worldWith('clusters of their own');
    world.createPod('serves', { restartPolicy: 'Always' });
    const { deps, calls } = withLate(world, isDead);
    const cluster = deps.clusters.get(clusterUid);
    if (cluster === undefined) throw new Error('no cluster');
    const events = { epoch: 'e', seq: 1, kind: 'tick' as const, pods: [] };
    const took = await passing(world, handlePodEvents(deps, cluster, events, world.scheduler.timeout(18_000)));
    expect([took, calls.made, world.groups.puts().length]).toEqual([0, 0, 1]);
  });
});
