import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inspectPod } from '../../../shared/core/pod/inspect.ts';
import { facts, podOf, rawContainer, resolved, translated } from './fixtures.ts';
import type { Raw } from './fixtures.ts';

type Mount = readonly [mountPath: string, subPath?: string | undefined, more?: Raw];

const podWith = (mounts: readonly Mount[], source: Raw = { emptyDir: {} }, init: readonly Mount[] = []) => {
  const mounted = (list: readonly Mount[]) =>
    list.map(([mountPath, subPath, more]) => ({
      name: 'data',
      mountPath,
      ...(subPath !== undefined && { subPath }),
      ...more,
    }));
  return podOf({
    volumes: [{ name: 'data', ...source }],
    containers: [rawContainer({ volumeMounts: mounted(mounts) })],
    initContainers: init.length === 0 ? [] : [rawContainer({ name: 'init', volumeMounts: mounted(init) })],
  });
};

describe('an emptyDir of which only folders are mounted', () => {
  it('is a volume for each folder, shared by all who mount it', () => {
    const { body } = translated(
      podWith(
        [
          ['/a', 'a'],
          ['/b', 'x/b/'],
        ],
        undefined,
        [['/in', './a']],
      ),
    );
    expect(body.volumes).toEqual([
      { name: 'data-0', emptyDir: {} },
      { name: 'data-1', emptyDir: {} },
    ]);
    const mountsOf = (list: readonly { readonly volumeMounts: readonly object[] }[]) => list[0]?.volumeMounts;
    expect(mountsOf(body.initContainers)).toEqual([{ name: 'data-0', mountPath: '/in' }]);
    expect(mountsOf(body.containers)).toEqual([
      { name: 'data-0', mountPath: '/a' },
      { name: 'data-1', mountPath: '/b' },
    ]);
  });

  it.each<[string, readonly Mount[], Raw?]>([
    ['that somebody mounts as a whole', [['/a', 'a'], ['/all']]],
    [
      'of which one folder is in another',
      [
        ['/a', 'a'],
        ['/b', 'a/b'],
      ],
    ],
    ['whose folder leads out of it', [['/a', '../a']]],
    [
      'whose folder an expression names',
      [
        ['/a', 'a'],
        ['/b', undefined, { subPathExpr: '$(X)' }],
      ],
    ],
    ['that is a ConfigMap', [['/a', 'a']], { configMap: { name: 'c' } }],
    ['that is a claim', [['/a', 'a']], { persistentVolumeClaim: { claimName: 'c' } }],
  ])('but not one %s', (_, mounts, source) =>
    expect(inspectPod(podWith(mounts, source), facts).refusal?.field).toMatch(/volumeMounts\[\d\]\.subPath(Expr)?$/),
  );

  it.each(['.', './', './/.'])('is the whole volume under %s', (subPath) => {
    const { body } = translated(podWith([['/a', subPath], ['/all']]), resolved(), facts);
    expect(body.containers[0]?.volumeMounts).toEqual([
      { name: 'data', mountPath: '/a' },
      { name: 'data', mountPath: '/all' },
    ]);
  });

  it('says that folders are counted where there are too many', () => {
    const pod = podWith(Array.from({ length: 21 }, (_, index): Mount => [`/m${index}`, `f${index}`]));
    expect(inspectPod(pod, facts).refusal?.message).toBe(
      'spec.volumes: 21 volumes are mounted, each folder of a volume counted; a group takes 20',
    );
  });

  it('is judged at once, of however many folders', () => {
    const pod = podWith(Array.from({ length: 3000 }, (_, index): Mount => [`/m${index}`, `f${index}/g`]));
    const start = performance.now();
    expect(inspectPod(pod, facts).refusal?.field).toBe('spec.volumes');
    expect(performance.now() - start).toBeLessThan(2000);
  });

  const folder = fc.stringMatching(/^[a-c]{1,2}(\/[a-c]{1,2})?$/);
  it('never puts two folders into one volume, nor one into two', () =>
    fc.assert(
      fc.property(fc.array(folder, { minLength: 1, maxLength: 6 }), (folders) => {
        const pod = podWith(folders.map((one, index): Mount => [`/m${index}`, one]));
        fc.pre(inspectPod(pod, facts).refusal === undefined);
        const { body } = translated(pod, resolved(), facts);
        const mounts = body.containers[0]?.volumeMounts ?? [];
        for (const [i, one] of folders.entries())
          for (const [j, other] of folders.entries()) expect(mounts[i]?.name === mounts[j]?.name).toBe(one === other);
        expect(body.volumes.map(({ name }) => name).toSorted()).toEqual(
          [...new Set(mounts.map(({ name }) => name))].toSorted(),
        );
      }),
    ));
});
