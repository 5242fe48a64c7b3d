import { describe, expect, it } from 'vitest';
import type { ImageStore } from '../../../infra/local/aci/runtime/engine/image-store.ts';
import { isOutOfMemoryRecord } from '../../../infra/local/aci/runtime/engine/kernel-log.ts';
import { createPuller } from '../../../infra/local/aci/runtime/engine/puller.ts';

const digest = `sha256:${'b'.repeat(64)}`;

/** A store whose registry has what `registry` names, for those with the right password. */
function storeOf(stored: string[], registry: readonly string[]): ImageStore & { pulls: string[] } {
  const pulls: string[] = [];
  return {
    pulls,
    find: async (image) => (stored.includes(image) ? { digest, labels: {} } : undefined),
    async pull(image, { credential }) {
      pulls.push(`${image} as ${credential?.username ?? 'nobody'}`);
      if (!registry.includes(image)) return 'manifest unknown';
      if (image.startsWith('private.example/') && credential?.password !== 'right') return 'unauthorized';
      stored.push(image);
      return undefined;
    },
    importTar: async () => undefined,
    derive: async () => undefined,
  };
}

describe('pulling', () => {
  it('finds what is stored without asking the registry', async () => {
    const store = storeOf(['docker.io/library/a:1'], []);
    expect(await createPuller(store)('a:1', [])).toEqual({ kind: 'pulled', digest });
    expect(store.pulls).toEqual([]);
  });

  it('asks the registry once for many groups', async () => {
    const store = storeOf([], ['docker.io/library/a:1']);
    const pull = createPuller(store);
    const answers = await Promise.all(['a:1', 'docker.io/library/a:1', 'a:1'].map((image) => pull(image, [])));
    expect(answers).toEqual([1, 2, 3].map(() => ({ kind: 'pulled', digest })));
    expect(store.pulls).toHaveLength(1);
  });

  it('asks again after a fault', async () => {
    const store = storeOf([], ['private.example/a:1']);
    const pull = createPuller(store);
    const credential = (password: string) => [{ server: 'private.example', username: 'u', password }];
    expect(await pull('private.example/a:1', [])).toMatchObject({ kind: 'image-fault', reason: 'denied' });
    expect(await pull('private.example/a:1', credential('wrong'))).toMatchObject({ reason: 'denied' });
    expect(await pull('private.example/a:1', credential('right'))).toEqual({ kind: 'pulled', digest });
    expect(await pull('private.example/b:1', [])).toMatchObject({ reason: 'not-found' });
    expect(await pull('private.example/b:1', [])).toMatchObject({ reason: 'not-found' });
    expect(store.pulls).toHaveLength(5);
  });
});

describe('the kernel’s log', () => {
  const id = 'c'.repeat(64);
  it.each([
    [`6,1,2,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/libpod_parent/libpod-${id},task=x`, true],
    [
      '6,1,2,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/libpod_parent/libpod-other,task=x',
      false,
    ],
    [`6,1,2,-;veth of ${id} entered promiscuous mode`, false],
  ])('%s', (record, outOfMemory) => {
    expect(isOutOfMemoryRecord(record, id)).toBe(outOfMemory);
  });
});
