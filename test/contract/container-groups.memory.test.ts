import { describe, expect, it } from 'vitest';
import { createMemoryContainerGroups } from '../../infra/local/sim/memory-container-groups.ts';
import { describeContainerGroups, groupBody, suiteImages } from './container-groups.suite.ts';

const images = {
  [suiteImages.done]: { runMs: 5000, exitCode: 0, log: 'one\ntwo\nthree\n' },
  [suiteImages.fails]: { runMs: 5000, exitCode: 3 },
  [suiteImages.failsOnce]: { runs: [{ runMs: 2000, exitCode: 3 }, {}] },
  [suiteImages.prepares]: { runMs: 10_000 },
} as const;

describeContainerGroups('in memory', async () => {
  let now = 1_700_000_000_000;
  return {
    groups: createMemoryContainerGroups({ now: () => now, images, provisioningMs: 15_000 }),
    advance: async (ms) => void (now += ms),
    close: async () => undefined,
  };
});

describe('container groups in memory: knobs', () => {
  const { signal } = new AbortController();
  it('lets the effect take place and loses the answer', async () => {
    const groups = createMemoryContainerGroups({ now: () => 0 });
    groups.inject({ method: 'createOrUpdate', moment: 'after', fault: { kind: 'transient', message: 'lost' } });
    const result = await groups.createOrUpdate('a', groupBody(suiteImages.server), signal);
    expect([result.ok, groups.names(), groups.puts()]).toEqual([false, ['a'], ['a']]);
  });

  it('shows a new group only after a while, and another state when reported', async () => {
    let now = 0;
    const groups = createMemoryContainerGroups({ now: () => now, visibleAfterMs: 100 });
    await groups.createOrUpdate('a', groupBody(suiteImages.server), signal);
    expect((await groups.get('a', signal)).ok).toBe(false);
    now = 100;
    groups.overrideGroup('a', (seen) => ({ ...seen, provisioningState: 'Failed' }));
    expect(await groups.get('a', signal)).toMatchObject({ value: { provisioningState: 'Failed' } });
  });

  it('reports every run, when it ended and why', async () => {
    let now = 0;
    const behaviours = { job: { runMs: 100, exitCode: 3 }, prepares: { runMs: 10 } } as const;
    const groups = createMemoryContainerGroups({ now: () => now, images: behaviours, provisioningMs: 1000 });
    const init = { name: 'init', image: 'prepares', environmentVariables: [], volumeMounts: [] };
    const reported = () =>
      groups.runs().map((run) => [run.group, run.container, run.startedAt, run.end, run.endedAt, run.exitCode]);
    for (const name of ['a', 'b', 'c', 'd']) await groups.createOrUpdate(name, groupBody('server'), signal);
    await groups.createOrUpdate('e', groupBody('job', { initContainers: [init] }), signal);
    expect(reported()).toEqual([]);
    now = 2000;
    await groups.stop('a', signal);
    await groups.delete('b', signal);
    groups.removeGroup('c');
    await groups.createOrUpdate('d', groupBody('server'), signal);
    await groups.delete('a', signal);
    await groups.delete('e', signal);
    now = 5000;
    expect(reported()).toEqual([
      ['a', 'main', 1000, 'stopped', 2000, undefined],
      ['b', 'main', 1000, 'deleted', 2000, undefined],
      ['c', 'main', 1000, 'removed', 2000, undefined],
      ['d', 'main', 1000, 'replaced', 2000, undefined],
      ['e', 'init', 1000, 'exited', 1010, 0],
      ['e', 'main', 1010, 'exited', 1110, 3],
      ['d', 'main', 3000, 'running', undefined, undefined],
    ]);
  });
});
