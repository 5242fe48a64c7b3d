import { describe, expect, it } from 'vitest';
import type { KubeNode } from '../../../shared/core/kubernetes/node.ts';
import { nodeDrift } from '../../../shared/core/node/node-drift.ts';
import type { NodeRepair } from '../../../shared/core/node/node-drift.ts';
import type { NodeSpec, NodeState } from '../../../shared/core/node/node-spec.ts';
import { nodeTemplate } from '../../../shared/core/node/node-status.ts';
import { nodeOf, now, spec } from './nodes.ts';

/** What the registration says, where it is not as `spec`. */
type Wanted = Partial<NodeSpec> & { readonly state: NodeState };

describe('drift of the Node object', () => {
  const provider = { key: 'virtual-kubelet.io/provider', value: 'azure', effect: 'NoSchedule' };
  const theirs = { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute', timeAdded: '2026-11-23T05:00:00Z' };
  const other = { ...provider, value: 'other' };
  const owner = { 'serverless-kubelet.io/owner': 'app-1' };
  const noted = { ...owner, 'serverless-kubelet.io/cordoned': 'draining' };
  const { labels } = nodeTemplate(spec, now);
  const { type: _type, ...untyped } = labels;

  it('is none when all is there, whatever others added, and whatever was once in the registration', () => {
    const extra = { ...labels, 'beta.kubernetes.io/os': 'linux', 'once-registered': 'yes' };
    const node = nodeOf({ labels: extra, taints: [theirs, provider] });
    expect(nodeDrift(node, spec, 'active')).toEqual({ kind: 'none' });
  });

  it.each([
    ['of another installation', { 'serverless-kubelet.io/owner': 'app-2' }, 'belongs to installation "app-2"'],
    ['without an owner', {}, 'has no owner annotation'],
  ])('a node %s is refused loudly, however it has drifted', (_, annotations, words) => {
    const drift = nodeDrift(nodeOf({ annotations, labels: {}, taints: [] }), spec, 'active');
    expect(drift.kind).toBe('foreign-owner');
    expect(drift.kind === 'foreign-owner' ? drift.message : '').toContain(words);
  });

  it.each<[string, Parameters<typeof nodeOf>[0], Wanted, readonly NodeRepair[]]>([
    [
      'our labels that are missing or changed are set',
      { labels: { ...untyped, 'kubernetes.azure.com/managed': 'true' } },
      { state: 'active' },
      [
        {
          part: 'own-labels',
          what: 'set on this Node the labels type, kubernetes.azure.com/managed',
          change: { labels: { type: 'virtual-kubelet', 'kubernetes.azure.com/managed': 'false' } },
        },
      ],
    ],
    [
      'labels of the registration are set apart, and never those that are ours',
      {},
      { state: 'draining', labels: { team: 'b', pool: 'batch', type: 'mine' } },
      [
        {
          part: 'cordon',
          what: 'cordon this Node',
          change: { annotations: { 'serverless-kubelet.io/cordoned': 'draining' }, unschedulable: true },
        },
        {
          part: 'registered-labels',
          what: 'set on this Node the labels team, pool of its registration',
          change: { labels: { team: 'b', pool: 'batch' } },
        },
      ],
    ],
    [
      'a missing taint is added to those of others',
      { taints: [theirs] },
      { state: 'active' },
      [
        {
          part: 'taint',
          what: 'set on this Node the taint virtual-kubelet.io/provider=azure:NoSchedule',
          change: { taints: [theirs, provider] },
        },
      ],
    ],
    [
      'a taint with another value makes room, since there can be one of a key and an effect',
      { taints: [other, theirs] },
      { state: 'active' },
      [
        {
          part: 'taint',
          what: 'set on this Node the taint virtual-kubelet.io/provider=azure:NoSchedule',
          change: { taints: [theirs, provider] },
        },
      ],
    ],
    [
      'an unwanted taint is removed, and no other',
      { taints: [provider, { ...provider, effect: 'NoExecute' }, theirs] },
      { state: 'active', taint: false },
      [
        {
          part: 'taint',
          what: 'remove from this Node the taint virtual-kubelet.io/provider=azure:NoSchedule',
          change: { taints: [{ ...provider, effect: 'NoExecute' }, theirs] },
        },
      ],
    ],
    ['a taint of another value is not ours to remove', { taints: [other] }, { state: 'active', taint: false }, []],
    [
      'what we cordoned is uncordoned when it is active again',
      { annotations: noted, unschedulable: true },
      { state: 'active' },
      [
        {
          part: 'cordon',
          what: 'uncordon this Node',
          change: { annotations: { 'serverless-kubelet.io/cordoned': null }, unschedulable: false },
        },
      ],
    ],
    ['what an operator cordoned stays so', { annotations: owner, unschedulable: true }, { state: 'active' }, []],
    [
      'our note goes when an operator took the cordon back',
      { annotations: noted },
      { state: 'active' },
      [
        {
          part: 'cordon',
          what: 'uncordon this Node',
          change: { annotations: { 'serverless-kubelet.io/cordoned': null } },
        },
      ],
    ],
    [
      'a removed node is cordoned',
      {},
      { state: 'removed' },
      [
        {
          part: 'cordon',
          what: 'cordon this Node',
          change: { annotations: { 'serverless-kubelet.io/cordoned': 'removed' }, unschedulable: true },
        },
      ],
    ],
    [
      "an operator's cordon of a draining node does not become ours",
      { unschedulable: true },
      { state: 'draining' },
      [],
    ],
    [
      'a cordoned node that drains is left alone',
      { annotations: noted, unschedulable: true },
      { state: 'draining' },
      [],
    ],
  ])('%s', (_, changes, { state, ...changed }, repairs) => {
    expect(nodeDrift(nodeOf(changes), { ...spec, ...changed }, state)).toEqual(
      repairs.length === 0 ? { kind: 'none' } : { kind: 'drifted', repairs },
    );
  });

  it('that is fixed is none', () => {
    const lost = nodeOf({ labels: {}, taints: [theirs], annotations: noted, unschedulable: true });
    const drift = nodeDrift(lost, spec, 'active');
    const repairs = drift.kind === 'drifted' ? drift.repairs : [];
    const corrected = repairs.reduce<KubeNode>(
      (node, { change }) => ({
        ...node,
        metadata: {
          ...node.metadata,
          labels: { ...node.metadata.labels, ...change.labels },
          annotations: Object.fromEntries(
            Object.entries({ ...node.metadata.annotations, ...change.annotations }).filter(
              (entry): entry is [string, string] => entry[1] !== null,
            ),
          ),
        },
        taints: change.taints ?? node.taints,
        unschedulable: change.unschedulable ?? node.unschedulable,
      }),
      lost,
    );
    expect(repairs.map(({ part }) => part)).toEqual(['own-labels', 'taint', 'cordon', 'registered-labels']);
    expect(nodeDrift(corrected, spec, 'active')).toEqual({ kind: 'none' });
  });
});
