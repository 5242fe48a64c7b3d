import { describe, expect, it } from 'vitest';
import { createMemoryContainerGroups } from '../../shared/adapters/memory/memory-container-groups.ts';
import { describeContainerGroups, groupBody, suiteImages } from './container-groups.suite.ts';

const images = {
  [suiteImages.done]: { runMs: 5000, exitCode: 0, log: 'one\ntwo\nthree\n' },
  [suiteImages.fails]: { runMs: 5000, exitCode: 3 },
};

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

  it('shows a new group only after a while, and another state when told', async () => {
    let now = 0;
    const groups = createMemoryContainerGroups({ now: () => now, visibleAfterMs: 100 });
    await groups.createOrUpdate('a', groupBody(suiteImages.server), signal);
    expect((await groups.get('a', signal)).ok).toBe(false);
    now = 100;
    groups.overrideGroup('a', (seen) => ({ ...seen, provisioningState: 'Failed' }));
    expect(await groups.get('a', signal)).toMatchObject({ value: { provisioningState: 'Failed' } });
  });
});
