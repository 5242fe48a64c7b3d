import { describe, expect, it } from 'vitest';
import { createJointPods } from '../../../shared/adapters/kubernetes/joint-pods.ts';
import { fail, ok } from '../../../shared/core/fault.ts';
import type { Pod } from '../../../shared/core/kubernetes/pod.ts';
import { parsePod } from '../../../shared/wire/pod.ts';
import { never, podJson } from './canned-server.ts';

const podOf = (name: string): Pod => {
  const pod = parsePod(podJson(name));
  if (pod === undefined) throw new Error('the fixture is no pod');
  return pod;
};

/** An API server with these pods on the node; `lists` and `gets` are what it was asked. */
function server(names: readonly string[], options: { readonly listFails?: boolean } = {}) {
  const pods = new Map(names.map((name) => [name, podOf(name)]));
  const asked = { lists: 0, gets: 0 };
  const later = () => new Promise((resolve) => setTimeout(resolve, 2));
  const getPod = createJointPods({
    getPod: async ({ name }) => {
      asked.gets += 1;
      await later();
      return ok(pods.get(name));
    },
    listSome: async (limit) => {
      asked.lists += 1;
      await later();
      if (options.listFails === true) return fail({ kind: 'transient', message: 'reset' });
      return ok({ pods: [...pods.values()].slice(0, limit), isAll: pods.size <= limit });
    },
  });
  const read = async (...wanted: readonly string[]): Promise<readonly (string | undefined)[]> =>
    Promise.all(
      wanted.map(async (name) => {
        const found = await getPod({ namespace: 'default', name }, never);
        return found.ok ? found.value?.metadata.name : found.fault.kind;
      }),
    );
  return { asked, pods, getPod, read };
}

const twenty = Array.from({ length: 20 }, (_, index) => `p${index}`);

describe('pods that are read at the same time', () => {
  it('are one list where the node has few others, and who is not there is absent', async () => {
    const { asked, read } = server(twenty);
    expect(await read(...twenty, 'gone')).toEqual([...twenty, undefined]);
    // The first does not wait for company.
    expect(asked).toEqual({ lists: 1, gets: 1 });
  });

  it('are read one by one where the node has many others, which is found out once in a while', async () => {
    const { asked, read } = server(
      [...twenty, ...Array.from({ length: 500 }, (_, index) => `other-${index}`)].toReversed(),
    );
    expect(await read(...twenty, 'gone')).toEqual([...twenty, undefined]);
    expect(await read(...twenty)).toEqual(twenty);
    expect([asked.lists, asked.gets]).toEqual([1, 41]);
  });

  it('are read one by one when they are few', async () => {
    const { asked, read } = server(twenty);
    expect(await read('p1', 'p2', 'p3')).toEqual(['p1', 'p2', 'p3']);
    expect(asked).toEqual({ lists: 0, gets: 3 });
  });

  it('are read one by one when the list fails', async () => {
    const { asked, read } = server(twenty, { listFails: true });
    expect(await read(...twenty)).toEqual(twenty);
    expect(asked.gets).toBe(20);
  });

  it('are read after each has asked: one that changes while a list is under way is read again', async () => {
    const { pods, read } = server(twenty);
    const first = read(...twenty);
    await new Promise((resolve) => setTimeout(resolve, 3));
    pods.delete('p7');
    expect(await read('p7')).toEqual([undefined]);
    await first;
  });

  it('are no business of one whose time is over', async () => {
    const { getPod, read } = server(twenty);
    const end = new AbortController();
    const impatient = getPod({ namespace: 'default', name: 'p1' }, end.signal);
    const others = read(...twenty);
    end.abort();
    expect(await impatient).toMatchObject({ ok: false, fault: { kind: 'transient' } });
    expect(await others).toEqual(twenty);
  });
});
