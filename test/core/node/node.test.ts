import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allocatable } from '../../../shared/core/node/allocatable.ts';
import { ourVersionIn, reportedVersion } from '../../../shared/core/node/node-spec.ts';
import { nodeLabels, nodeStatus, nodeStatusToWrite, nodeTemplate } from '../../../shared/core/node/node-status.ts';
import { nodeOf, now, spec } from './nodes.ts';

describe('the node that is POSTed', () => {
  it('says what it is, in one object', () => {
    const { labels, annotations, taints, status } = nodeTemplate(spec, now);
    expect(labels).toEqual({
      team: 'a',
      type: 'virtual-kubelet',
      'kubernetes.azure.com/managed': 'false',
      'node.kubernetes.io/exclude-from-external-load-balancers': 'true',
      'node.kubernetes.io/instance-type': 'Virtual',
      'kubernetes.io/hostname': 'aci-westeurope-1',
      'kubernetes.io/os': 'linux',
      'kubernetes.io/arch': 'amd64',
      'topology.kubernetes.io/region': 'westeurope',
      'topology.kubernetes.io/zone': 'westeurope-1',
    });
    expect(annotations).toEqual({ 'serverless-kubelet.io/owner': 'app-1' });
    expect(taints).toEqual([{ key: 'virtual-kubelet.io/provider', value: 'azure', effect: 'NoSchedule' }]);
    expect(status.addresses).toEqual([{ type: 'InternalIP', address: '10.0.0.9' }]);
    expect(status.conditions.map(({ type, status }) => `${type}=${status}`)).toEqual([
      'Ready=True',
      'MemoryPressure=False',
      'DiskPressure=False',
      'PIDPressure=False',
      'NetworkUnavailable=False',
    ]);
    expect(status.conditions[0]?.lastHeartbeatTime).toBe('2026-11-23T05:00:00Z');
  });

  it('has no zone label without a zone, and no taint when it is not to have one', () => {
    const { labels, taints } = nodeTemplate({ ...spec, zone: undefined, taint: false }, now);
    expect(labels['topology.kubernetes.io/zone']).toBeUndefined();
    expect(taints).toEqual([]);
  });

  it('has of the registered labels those that a node may set itself', () => {
    const labels = {
      pool: 'batch',
      'example.com/pool': 'batch',
      'node.kubernetes.io/pool': 'batch',
      'x.kubelet.kubernetes.io/pool': 'batch',
      'beta.kubernetes.io/instance-type': 'aci',
      'kubernetes.io/role': 'agent',
      'node-role.kubernetes.io/agent': '',
      'x.node-restriction.kubernetes.io/team': 'a',
      'k8s.io/x': '',
    };
    const posted = nodeTemplate({ ...spec, labels }, now).labels;
    expect(Object.keys(labels).filter((key) => posted[key] !== undefined)).toEqual(Object.keys(labels).slice(0, 5));
    expect(nodeTemplate({ ...spec, labels: {} }, now).labels).toEqual(nodeLabels({ ...spec, labels: {} }));
  });

  it.each([
    ['v1.36.3', 'v1.36.3-aci.0.1.0'],
    ['v1.34.1+k3s1', 'v1.34.1-aci.0.1.0'],
    ['v1.37.0-beta.1', 'v1.37.0-aci.0.1.0'],
  ])('reports %s as %s', (server, reported) => {
    expect(reportedVersion(server, '0.1.0')).toBe(reported);
    expect(ourVersionIn(reported)).toBe('0.1.0');
    expect(ourVersionIn(server)).toBeUndefined();
  });
});

describe('the node status', () => {
  const later = now + 60_000;
  const at = { now, dropsFeatures: false };

  it('moves heartbeats, and transitions only where the status changed', () => {
    const previous = nodeStatus(spec, { allocatable: spec.capacity, previous: [], features: [] }, now).conditions.map(
      (condition) => (condition.type === 'Ready' ? { ...condition, status: 'Unknown' as const } : condition),
    );
    const { conditions } = nodeStatus(spec, { allocatable: spec.capacity, previous, features: [] }, later);
    const times = Object.fromEntries(
      conditions.map(({ type, lastHeartbeatTime, lastTransitionTime }) => [
        type,
        [lastHeartbeatTime, lastTransitionTime],
      ]),
    );
    expect(times['Ready']).toEqual(['2026-11-23T05:01:00Z', '2026-11-23T05:01:00Z']);
    expect(times['DiskPressure']).toEqual(['2026-11-23T05:01:00Z', '2026-11-23T05:00:00Z']);
  });

  it.each([
    ['is not written again within five minutes', 0, spec, false],
    ['is written again after five minutes', 300_001, spec, true],
    ['is written at once when its address changed', 0, { ...spec, address: '10.0.0.10' }, true],
    ['is written at once when its version changed', 0, { ...spec, kubeletVersion: 'v1.37.0-aci.0.1.0' }, true],
    ['is written at once when less can be placed', 0, { ...spec, capacity: { ...spec.capacity, pods: 9 } }, true],
  ])('%s', (_, elapsed, changed, isWritten) => {
    const next = nodeStatus(
      changed,
      { allocatable: changed.capacity, previous: nodeOf().status.conditions, features: [] },
      now + elapsed,
    );
    expect(nodeStatusToWrite(nodeOf(), next, { now: now + elapsed, dropsFeatures: false }) !== undefined).toBe(
      isWritten,
    );
  });

  it("is written at once when the node controller called it Unknown, and other owners' conditions do not matter", () => {
    const next = nodeStatus(
      spec,
      { allocatable: spec.capacity, previous: nodeOf().status.conditions, features: [] },
      now,
    );
    const conditions = nodeOf().status.conditions;
    const foreign = {
      ...conditions[1],
      type: 'DrainInProgress',
      status: 'True',
      reason: 'x',
      message: '',
      lastHeartbeatTime: '',
      lastTransitionTime: '',
    } as const;
    const node = nodeOf();
    expect(
      nodeStatusToWrite({ ...node, status: { ...node.status, conditions: [...conditions, foreign] } }, next, at),
    ).toBeUndefined();
    const unknown = conditions.map((condition) =>
      condition.type === 'Ready' ? { ...condition, status: 'Unknown' as const } : condition,
    );
    expect(nodeStatusToWrite({ ...node, status: { ...node.status, conditions: unknown } }, next, at)).toEqual(next);
  });
});

describe('what the node declares', () => {
  interface Declaring {
    readonly has: readonly string[];
    readonly serves: readonly string[];
    readonly elapsed?: number;
    readonly dropsFeatures?: boolean;
  }
  const written = ({ has, serves, elapsed = 0, dropsFeatures = false }: Declaring): readonly string[] | undefined => {
    const node = nodeOf();
    const actual = { ...node, status: { ...node.status, declaredFeatures: has } };
    const state = { allocatable: spec.capacity, previous: node.status.conditions, features: serves };
    const next = nodeStatus(spec, state, now + elapsed);
    return nodeStatusToWrite(actual, next, { now: now + elapsed, dropsFeatures })?.declaredFeatures;
  };
  it.each([
    { it: 'what it has is left', has: ['A'], serves: ['A'], expected: undefined },
    { it: 'what the relay no longer serves goes at once', has: ['A'], serves: [], expected: [] },
    { it: 'what it serves is written at once', has: [], serves: ['A'], expected: ['A'] },
    {
      it: 'what an API server drops is not written every few seconds',
      has: [],
      serves: ['A'],
      dropsFeatures: true,
      expected: undefined,
    },
    { it: 'but with the next write', has: [], serves: ['A'], dropsFeatures: true, elapsed: 300_001, expected: ['A'] },
  ])('$it', ({ expected, ...declaring }) => {
    expect(written(declaring)).toEqual(expected);
  });
});

describe('what can be placed on the node', () => {
  const share = { capacity: spec.capacity, usage: undefined, nodesSharing: 1, ownCores: 0, ownGroups: 0 };
  it.each([
    ['the capacity while nothing is known', {}, { cpu: '100', memory: '400Gi', pods: 100 }],
    [
      'what is free, when that is less',
      { usage: { coresFree: 10, groupsFree: 90 } },
      { cpu: '10', memory: '400Gi', pods: 10 },
    ],
    [
      'a third of what is free, for three nodes',
      { usage: { coresFree: 10, groupsFree: 90 }, nodesSharing: 3 },
      { cpu: '3333m', memory: '400Gi', pods: 3 },
    ],
    [
      'what it has, when nothing is free',
      { usage: { coresFree: 0, groupsFree: 0 }, ownCores: 7.5, ownGroups: 4 },
      { cpu: '7500m', memory: '400Gi', pods: 4 },
    ],
    [
      'nothing, when others use all',
      { usage: { coresFree: 0, groupsFree: 0 } },
      { cpu: '0', memory: '400Gi', pods: 0 },
    ],
    [
      'as many pods as there are gigabytes',
      { capacity: { cpu: '100', memory: '8G', pods: 100 } },
      { cpu: '100', memory: '8G', pods: 8 },
    ],
    [
      'as many pods as there are cores',
      { capacity: { cpu: '4500m', memory: '400Gi', pods: 100 } },
      { cpu: '4500m', memory: '400Gi', pods: 4 },
    ],
  ])('is %s', (_, changes, expected) => {
    expect(allocatable({ ...share, ...changes })).toEqual(expected);
  });

  it('never promises more than the quota less what others use, all nodes together', () => {
    const node = fc.record({ ownCores: fc.nat(20), ownGroups: fc.nat(20) });
    fc.assert(
      fc.property(
        fc.array(node, { minLength: 1, maxLength: 5 }),
        fc.nat(100),
        fc.nat(100),
        (nodes, coresFree, groupsFree) => {
          const shares = nodes.map((own) =>
            allocatable({ ...share, ...own, usage: { coresFree, groupsFree }, nodesSharing: nodes.length }),
          );
          const own = (key: 'ownCores' | 'ownGroups'): number => nodes.reduce((sum, each) => sum + each[key], 0);
          const cores = shares.reduce(
            (sum, { cpu }) => sum + (cpu.endsWith('m') ? Number(cpu.slice(0, -1)) / 1000 : Number(cpu)),
            0,
          );
          expect(cores).toBeLessThanOrEqual(coresFree + own('ownCores') + 1e-6);
          expect(shares.reduce((sum, { pods }) => sum + pods, 0)).toBeLessThanOrEqual(groupsFree + own('ownGroups'));
        },
      ),
    );
  });
});
