import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../shared/core/json.ts';
import { nodeManifest, noon, podManifest, ready, testCluster, seen, valueOf } from './cluster.ts';
import type { Condition, Seen } from './cluster.ts';

const micro = (ms: number): string => new Date(ms).toISOString().replace('Z', '000Z');

/** A ready node whose Lease is renewed for as long as `beat` is called. */
function withNode(over: JsonObject = {}) {
  const world = testCluster();
  const node = seen(world.create('nodes', nodeManifest('n', over)));
  valueOf(
    world.create('leases', {
      metadata: { name: 'n', ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'n', uid: node.metadata.uid }] },
      spec: { renewTime: micro(noon) },
    }),
  );
  const beat = (seconds: number): void => {
    for (let second = 0; second < seconds; second += 1) {
      valueOf(world.patch('leases', 'n', { spec: { renewTime: micro(world.clock.now + 1) } }));
      world.run(1);
    }
  };
  return { ...world, beat };
}

const condition = (object: Seen, type: string): Condition | undefined =>
  object.status.conditions?.find((one) => one.type === type);

describe('the scheduler', () => {
  const tainted = { spec: { taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] } };
  const required = {
    affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{}] } } },
  };
  const tolerating = { tolerations: [{ key: 'k', operator: 'Exists' }] };
  it.each<[string, JsonObject, JsonObject, boolean]>([
    ['a ready node', {}, {}, true],
    ['a node that is not ready', { status: ready('False') }, {}, false],
    ['a cordoned node', { spec: { unschedulable: true } }, {}, false],
    ['a taint that is not tolerated', tainted, {}, false],
    ['a taint that is tolerated', tainted, tolerating, true],
    ['a label that is asked for', {}, { nodeSelector: { zone: 'a' } }, true],
    ['a label that is not there', {}, { nodeSelector: { zone: 'b' } }, false],
    ['an affinity, which it does not know', {}, required, false],
    ['another scheduler', {}, { schedulerName: 'other' }, false],
  ])('binds to %s: %#', (_, node, spec, isBound) => {
    const world = withNode(node);
    valueOf(world.create('pods', podManifest('p', spec)));
    world.cluster.tick();
    expect(world.get('pods', 'p').spec.nodeName).toBe(isBound ? 'n' : undefined);
  });

  it('says once why a pod finds no place, and binds it when there is one', () => {
    const world = testCluster();
    valueOf(world.create('pods', podManifest('p')));
    world.run(5);
    const unscheduled = { status: 'False', reason: 'Unschedulable', message: 'no nodes available to schedule pods' };
    expect(condition(world.get('pods', 'p'), 'PodScheduled')).toMatchObject(unscheduled);
    expect(world.cluster.events().map(({ reason }) => reason)).toEqual(['FailedScheduling']);
    valueOf(world.create('nodes', nodeManifest('n')));
    world.run(1);
    expect(world.get('pods', 'p').spec.nodeName).toBe('n');
    expect(condition(world.get('pods', 'p'), 'PodScheduled')?.status).toBe('True');
    expect(world.cluster.events().map(({ reason }) => reason)).toEqual(['FailedScheduling', 'Scheduled']);
  });

  it('spreads pods over nodes', () => {
    const world = testCluster();
    for (const name of ['a', 'b']) valueOf(world.create('nodes', nodeManifest(name)));
    for (const name of ['p', 'q']) valueOf(world.create('pods', podManifest(name)));
    world.cluster.tick();
    expect(new Set(['p', 'q'].map((name) => world.get('pods', name).spec.nodeName))).toEqual(new Set(['a', 'b']));
  });
});

describe('a node whose Lease is not renewed', () => {
  const runningPod = (world: ReturnType<typeof withNode>, name: string, spec: JsonObject = {}) => {
    valueOf(world.create('pods', podManifest(name, { nodeName: 'n', ...spec })));
    const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
    valueOf(world.patch('pods', name, { status }, { subresource: 'status' }));
  };

  it('is ready for 50 s, and then unknown; its pods are not ready', () => {
    const world = withNode();
    runningPod(world, 'p');
    world.beat(10);
    world.run(50);
    expect(condition(world.get('nodes', 'n'), 'Ready')?.status).toBe('True');
    expect(condition(world.get('pods', 'p'), 'Ready')?.status).toBe('True');
    world.run(2);
    expect(condition(world.get('nodes', 'n'), 'Ready')).toMatchObject({
      status: 'Unknown',
      reason: 'NodeStatusUnknown',
    });
    expect(condition(world.get('pods', 'p'), 'Ready')?.status).toBe('False');
    expect(world.get('nodes', 'n').spec.taints.map((taint) => `${taint.key}:${taint.effect}`)).toEqual([
      'node.kubernetes.io/unreachable:NoSchedule',
      'node.kubernetes.io/unreachable:NoExecute',
    ]);
  });

  it('loses its pods after their toleration: 300 s by default, at once without, never for ever', () => {
    const world = withNode();
    runningPod(world, 'default');
    runningPod(world, 'forever', { tolerations: [{ operator: 'Exists' }] });
    const short = {
      key: 'node.kubernetes.io/unreachable',
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: 10,
    };
    runningPod(world, 'short', { tolerations: [short] });
    world.run(60);
    expect(world.get('pods', 'short').metadata.deletionTimestamp).toBeUndefined();
    world.run(4);
    expect(world.get('pods', 'short').metadata.deletionTimestamp).toBeDefined();
    expect(condition(world.get('pods', 'short'), 'DisruptionTarget')?.reason).toBe('DeletionByTaintManager');
    world.run(280);
    expect(world.get('pods', 'default').metadata.deletionTimestamp).toBeUndefined();
    world.run(20);
    expect(world.get('pods', 'default').metadata.deletionTimestamp).toBeDefined();
    expect(world.get('pods', 'forever').metadata.deletionTimestamp).toBeUndefined();
  });

  it('that beats again is ready only by its own word, and keeps nothing of the taints then', () => {
    const world = withNode();
    world.run(55);
    world.beat(1);
    expect(condition(world.get('nodes', 'n'), 'Ready')?.status).toBe('Unknown');
    valueOf(world.patch('nodes', 'n', { status: ready() }, { subresource: 'status' }));
    world.beat(1);
    expect(world.get('nodes', 'n').spec.taints).toEqual([]);
  });

  it('writes nothing while nothing changes', () => {
    const world = withNode();
    world.run(60);
    const { version } = world.state().store;
    world.run(60);
    expect(world.state().store.version).toBe(version);
  });
});

describe('a node that is deleted', () => {
  it('takes its Lease with it', () => {
    const world = withNode();
    valueOf(world.delete('nodes', 'n'));
    world.run(1);
    expect(world.get('leases', 'n')).toBeUndefined();
  });

  it('leaves pods that are failed and gone after 40 s', () => {
    const world = withNode();
    valueOf(world.create('pods', podManifest('p', { nodeName: 'n' })));
    const seen: string[] = [];
    world.cluster.watchPods((change, pod) => void seen.push(`${change} ${pod.status.phase}`));
    valueOf(world.delete('nodes', 'n'));
    world.run(40);
    expect(world.get('pods', 'p')).toBeDefined();
    world.run(1);
    expect(world.get('pods', 'p')).toBeUndefined();
    expect(seen.at(-1)).toBe('deleted Failed');
  });

  it('that comes back in time keeps them', () => {
    const world = withNode();
    valueOf(world.create('pods', podManifest('p', { nodeName: 'n' })));
    valueOf(world.delete('nodes', 'n'));
    world.run(30);
    valueOf(world.create('nodes', nodeManifest('n')));
    world.run(30);
    expect(world.get('pods', 'p')).toBeDefined();
  });
});

describe('a namespace', () => {
  it('has its ServiceAccount and its CA, again when they are deleted', () => {
    const world = testCluster();
    valueOf(world.delete('serviceaccounts', 'default'));
    world.run(1);
    expect(world.get('serviceaccounts', 'default')).toBeDefined();
    expect(world.get('configmaps', 'kube-root-ca.crt')).toBeDefined();
  });
});

it('events live for an hour', () => {
  const world = testCluster();
  valueOf(world.create('pods', podManifest('p')));
  world.run(1);
  expect(world.cluster.events()).toHaveLength(1);
  world.clock.now += 3_700_000;
  world.run(1);
  expect(world.cluster.events()).toHaveLength(0);
});
