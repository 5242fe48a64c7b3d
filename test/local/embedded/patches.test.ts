import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyJsonPatch } from '../../../infra/local/sim/api-server/json-patch.ts';
import { jsonMergePatch, mergePatch } from '../../../infra/local/sim/api-server/strategic-merge.ts';
import type { Json, JsonObject } from '../../../shared/core/json.ts';

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

describe('a JSON patch', () => {
  const target = { a: { b: [1, 2] }, 'c/d': 'e' };
  it.each<[string, readonly Json[], unknown]>([
    ['add to a list', [{ op: 'add', path: '/a/b/1', value: 9 }], { a: { b: [1, 9, 2] }, 'c/d': 'e' }],
    ['append', [{ op: 'add', path: '/a/b/-', value: 3 }], { a: { b: [1, 2, 3] }, 'c/d': 'e' }],
    ['escaped', [{ op: 'replace', path: '/c~1d', value: 'f' }], { a: { b: [1, 2] }, 'c/d': 'f' }],
    ['remove', [{ op: 'remove', path: '/a/b/0' }], { a: { b: [2] }, 'c/d': 'e' }],
    [
      'test, then move',
      [
        { op: 'test', path: '/a/b/0', value: 1 },
        { op: 'move', from: '/a/b', path: '/x' },
      ],
      { a: {}, x: [1, 2], 'c/d': 'e' },
    ],
  ])('%s', (_, operations, expected) => {
    expect(applyJsonPatch(target, operations)).toEqual({ ok: true, value: expected });
  });

  it.each([
    [[{ op: 'test', path: '/a/b/0', value: 2 }]],
    [[{ op: 'remove', path: '/no' }]],
    [[{ op: 'replace', path: '/a/b/7', value: 1 }]],
    [[{ op: 'add', path: '/a/b/01', value: 1 }]],
    [[{ op: 'add', path: 'a', value: 1 }]],
    [[{ op: 'remove', path: '' }]],
    [[{ op: 'dance', path: '/a' }]],
    [['x']],
  ])('that does not apply is told: %j', (operations) => {
    expect(applyJsonPatch(target, operations).ok).toBe(false);
  });

  it('of any JSON is a value, never an exception', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), (operations) => {
        expect(typeof applyJsonPatch(target, JSON.parse(JSON.stringify(operations))).ok).toBe('boolean');
      }),
    );
  });
});
