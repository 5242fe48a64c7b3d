import { describe, expect, it } from 'vitest';
import { parsePodEvents } from '../../../shared/wire/relay-protocol/pod-events.ts';

const key = { node: 'aci-1', namespace: 'default', name: 'p', uid: 'u-1', resourceVersion: '7', generation: 1 };
const body = { epoch: 'e', seq: 0, kind: 'delta', pods: [key] };

describe('the body of pod-events', () => {
  it.each([
    { it: 'a delta', value: body },
    { it: 'a snapshot of nothing', value: { ...body, kind: 'snapshot', pods: [] } },
    { it: 'a tick', value: { ...body, kind: 'tick', pods: [] } },
    {
      it: 'a pod that is being deleted',
      value: { ...body, pods: [{ ...key, deletionTimestamp: '2026-11-23T12:00:00Z' }] },
    },
  ])('$it is taken as it is', ({ value }) =>
    expect(parsePodEvents(JSON.stringify(value))).toEqual({ ok: true, value }),
  );

  it.each([
    { it: 'no JSON', text: 'hello', fields: [''] },
    { it: 'an array', text: '[]', fields: [''] },
    { it: 'null', text: 'null', fields: [''] },
    { it: 'nothing in it', text: '{}', fields: ['epoch', 'seq', 'kind', 'pods'] },
    { it: 'a sequence that is no whole number', text: JSON.stringify({ ...body, seq: 1.5 }), fields: ['seq'] },
    { it: 'a sequence below zero', text: JSON.stringify({ ...body, seq: -1 }), fields: ['seq'] },
    { it: 'an empty epoch', text: JSON.stringify({ ...body, epoch: '' }), fields: ['epoch'] },
    {
      it: 'a UID that would leave its key',
      text: JSON.stringify({ ...body, pods: [{ ...key, uid: 'a/../b' }] }),
      fields: ['pods.0.uid'],
    },
    { it: 'an empty name', text: JSON.stringify({ ...body, pods: [{ ...key, name: '' }] }), fields: ['pods.0.name'] },
    {
      it: 'a name too long',
      text: JSON.stringify({ ...body, pods: [{ ...key, name: 'x'.repeat(254) }] }),
      fields: ['pods.0.name'],
    },
    ...['P', 'a/b', '..', 'a_b', 'a b', '\ud800', 'ä', 'a\u0000', '-a', 'a.'].flatMap((word) =>
      ['node', 'namespace', 'name'].map((field) => ({
        it: `a ${field} ${JSON.stringify(word)} that no object can have`,
        text: JSON.stringify({ ...body, pods: [{ ...key, [field]: word }] }),
        fields: [`pods.0.${field}`],
      })),
    ),
    { it: 'a status', text: JSON.stringify({ ...body, pods: [{ ...key, status: {} }] }), fields: ['pods.0'] },
    {
      it: 'too many pods',
      text: JSON.stringify({ ...body, pods: Array.from({ length: 5001 }, () => key) }),
      fields: ['pods'],
    },
  ])('$it is refused, and the field is named', ({ text, fields }) => {
    const parsed = parsePodEvents(text);
    expect(parsed.ok ? [] : parsed.faults.map(({ field }) => field)).toEqual(fields);
  });

  it('names ten faults at most, and shows no value', () => {
    const parsed = parsePodEvents(
      JSON.stringify({ ...body, pods: Array.from({ length: 20 }, () => ({ ...key, uid: 'planted value' })) }),
    );
    expect(parsed.ok ? [] : parsed.faults).toHaveLength(10);
    expect(JSON.stringify(parsed)).not.toContain('planted');
  });
});
