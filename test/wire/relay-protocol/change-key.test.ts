import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foreignChange } from '../../../shared/core/kubernetes/pod-change.ts';
import { changeKey } from '../../../shared/wire/relay-protocol/change-key.ts';

type Facts = Parameters<typeof changeKey>[0];

const ready = { type: 'Ready', status: 'True' };
const disruption = { type: 'DisruptionTarget', status: 'False', reason: 'none' };
const pod: Facts = { generation: 1, phase: 'Running', conditions: [ready, disruption] };

const different: readonly (readonly [string, Partial<Facts>])[] = [
  ['its generation', { generation: 2 }],
  ['its deletion', { deletionTimestamp: '2026-11-23T12:00:00Z' }],
  ['its grace period', { deletionGracePeriodSeconds: 0 }],
  ['its phase, as PodGC writes it', { phase: 'Failed' }],
  ['Ready, as the node controller writes it', { conditions: [{ ...ready, status: 'False' }, disruption] }],
  ["another's status", { conditions: [ready, { ...disruption, status: 'True' }] }],
  ["another's reason", { conditions: [ready, { ...disruption, reason: 'other' }] }],
  ["another's new condition", { conditions: [ready, disruption, { type: 'example.com/gate', status: 'True' }] }],
];
const same: readonly (readonly [string, Partial<Facts>])[] = [
  ['the order of conditions', { conditions: [disruption, ready] }],
  ['the reason of a condition that a kubelet writes', { conditions: [{ ...ready, reason: 'x' }, disruption] }],
];

describe('the key of a change', () => {
  it.each(different)('differs with %s', (_, change) =>
    expect(changeKey({ ...pod, ...change })).not.toBe(changeKey(pod)),
  );
  it.each(same)('is the same whatever %s', (_, change) =>
    expect(changeKey({ ...pod, ...change })).toBe(changeKey(pod)),
  );

  it('reports all that the app would work for', () => {
    const condition = fc.record({
      type: fc.constantFrom('Ready', 'Initialized', 'DisruptionTarget', 'example.com/gate'),
      status: fc.constantFrom('True', 'False'),
      reason: fc.option(fc.constantFrom('a', 'b'), { nil: undefined }),
    });
    const facts = fc.record({
      generation: fc.integer({ min: 1, max: 2 }),
      deletionTimestamp: fc.option(fc.constantFrom('t1', 't2'), { nil: undefined }),
      deletionGracePeriodSeconds: fc.option(fc.constantFrom(0, 30), { nil: undefined }),
      phase: fc.constantFrom('Pending', 'Running'),
      conditions: fc.uniqueArray(condition, { selector: ({ type }) => type, maxLength: 4 }),
    });
    fc.assert(
      fc.property(facts, facts, (one, other) => {
        fc.pre(foreignChange(one) !== foreignChange(other));
        expect(changeKey(one)).not.toBe(changeKey(other));
      }),
    );
  });
});
