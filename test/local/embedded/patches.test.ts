import { describe, expect, it } from 'vitest';
import { jsonMergePatch, mergePatch } from '../../../infra/local/sim/api-server/strategic-merge.ts';
import type { JsonObject } from '../../../shared/core/json.ts';

describe('a strategic merge patch', () => {
  const pod = {
    metadata: { labels: { a: '1', b: '2' }, finalizers: ['x'] },
    spec: {
      containers: [
        { name: 'a', image: 'i', ports: [{ containerPort: 80 }] },
        { name: 'b', image: 'j' },
      ],
      tolerations: [{ key: 'k' }],
    },
  };
  it.each<[string, JsonObject, string, unknown]>([
    ['null takes away', { metadata: { labels: { a: null } } }, 'metadata.labels', { b: '2' }],
    [
      'containers merge by name',
      { spec: { containers: [{ name: 'b', image: 'k' }] } },
      'spec.containers.1',
      { name: 'b', image: 'k' },
    ],
    [
      'ports merge by containerPort',
      { spec: { containers: [{ name: 'a', ports: [{ containerPort: 81 }] }] } },
      'spec.containers.0.ports',
      [{ containerPort: 80 }, { containerPort: 81 }],
    ],
    ['tolerations are replaced', { spec: { tolerations: [{ key: 'l' }] } }, 'spec.tolerations', [{ key: 'l' }]],
    ['an element is deleted', { spec: { containers: [{ name: 'a', $patch: 'delete' }] } }, 'spec.containers.length', 1],
    [
      'a list is replaced',
      { spec: { containers: [{ $patch: 'replace' }, { name: 'c' }] } },
      'spec.containers',
      [{ name: 'c' }],
    ],
    ['a map is replaced', { metadata: { labels: { $patch: 'replace', c: '3' } } }, 'metadata.labels', { c: '3' }],
    [
      'an order is kept',
      { spec: { '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }], containers: [{ name: 'a' }] } },
      'spec.containers.0.name',
      'b',
    ],
    ['finalizers are a set', { metadata: { finalizers: ['x', 'y'] } }, 'metadata.finalizers', ['x', 'y']],
    [
      'one of a set is deleted',
      { metadata: { '$deleteFromPrimitiveList/finalizers': ['x'] } },
      'metadata.finalizers',
      [],
    ],
  ])('%s', (_, patch, path, expected) => {
    expect(mergePatch(pod, patch)).toHaveProperty(path, expected);
  });

  it('changes nothing in place', () => {
    const before = JSON.stringify(pod);
    mergePatch(pod, { spec: { containers: [{ name: 'a', image: 'z' }] }, metadata: null });
    expect(JSON.stringify(pod)).toBe(before);
  });
});

it('a JSON merge patch replaces lists', () => {
  expect(jsonMergePatch({ a: [1], b: { c: 1, d: 2 } }, { a: [2], b: { c: null } })).toEqual({ a: [2], b: { d: 2 } });
});
