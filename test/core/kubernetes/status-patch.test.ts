import { describe, expect, it } from 'vitest';
import type { Pod, PodCondition, PodStatus } from '../../../shared/core/kubernetes/pod.ts';
import { buildNodeStatusPatch, buildPodStatusPatch } from '../../../shared/core/kubernetes/status-patch.ts';

const status: PodStatus = { phase: 'Running', conditions: [], initContainerStatuses: [], containerStatuses: [] };
const pod = (over: Partial<PodStatus> = {}): Pod => ({
  metadata: {
    name: 'p',
    namespace: 'default',
    uid: 'u',
    resourceVersion: '7',
    generation: 1,
    creationTimestamp: '',
    labels: {},
    annotations: {},
    ownerReferences: [],
  },
  spec: {
    nodeName: 'aci-1',
    containers: [],
    initContainers: [],
    restartPolicy: 'Always',
    volumes: [],
    imagePullSecrets: [],
    serviceAccountName: '',
    enableServiceLinks: true,
    terminationGracePeriodSeconds: 30,
  },
  status: { ...status, ...over },
  rawSpec: {},
});
const condition = (type: string, over: Partial<PodCondition> = {}): PodCondition => ({ type, status: 'True', ...over });
const sent = (conditions: readonly PodCondition[], present: readonly PodCondition[] = []) => {
  const patch = buildPodStatusPatch(pod({ conditions: present }), { ...status, conditions });
  return JSON.parse(JSON.stringify(patch)).status.conditions.map((one: { type: string }) => one.type);
};

describe('the patch of a pod’s status', () => {
  it('has the annotations that are to change, and null for those that are to go', () => {
    const patch = buildPodStatusPatch(pod(), { ...status, annotations: { a: 'b', c: null } });
    expect(patch['metadata']).toEqual({ uid: 'u', resourceVersion: '7', annotations: { a: 'b', c: null } });
    expect(patch['status']).not.toHaveProperty('annotations');
  });

  it('names UID and resourceVersion, and touches nothing but the status', () => {
    const patch = buildPodStatusPatch(pod(), status);
    expect(Object.keys(patch)).toStrictEqual(['metadata', 'status']);
    expect(patch['metadata']).toStrictEqual({ uid: 'u', resourceVersion: '7' });
  });

  it('takes back reason, message and addresses that are gone, never startTime, observedGeneration or qosClass', () => {
    expect(buildPodStatusPatch(pod({ reason: 'Evicted', qosClass: 'Burstable' }), status)['status']).toStrictEqual({
      phase: 'Running',
      reason: null,
      message: null,
      hostIP: null,
      hostIPs: [{ $patch: 'replace' }],
      podIP: null,
      podIPs: [{ $patch: 'replace' }],
      conditions: [],
      initContainerStatuses: [],
      containerStatuses: [],
    });
  });

  it('replaces addresses instead of adding to them', () => {
    expect(buildPodStatusPatch(pod({ podIP: '10.0.0.1' }), { ...status, podIP: '10.0.0.2' })['status']).toMatchObject({
      podIP: '10.0.0.2',
      podIPs: [{ $patch: 'replace' }, { ip: '10.0.0.2' }],
    });
  });

  it.each([
    [
      'own ones are sent',
      [
        condition('Ready'),
        condition('ContainersReady'),
        condition('Initialized'),
        condition('PodReadyToStartContainers'),
      ],
      [],
      ['Ready', 'ContainersReady', 'Initialized', 'PodReadyToStartContainers'],
    ],
    ['those of others are not', [condition('example.com/gate'), condition('PodResizePending')], [], []],
    ['PodScheduled is the scheduler’s', [condition('PodScheduled')], [condition('PodScheduled')], []],
    ['PodScheduled is added where nobody scheduled', [condition('PodScheduled')], [], ['PodScheduled']],
    ['DisruptionTarget of a controller is not', [condition('DisruptionTarget', { reason: 'DeletionByPodGC' })], [], []],
    [
      'DisruptionTarget of the kubelet is',
      [condition('DisruptionTarget', { reason: 'TerminationByKubelet' })],
      [],
      ['DisruptionTarget'],
    ],
  ])('of the conditions, %s', (_, conditions, present, types) => {
    expect(sent(conditions, present)).toStrictEqual(types);
  });

  it('takes back a condition’s reason and message', () => {
    expect(buildPodStatusPatch(pod(), { ...status, conditions: [condition('Ready')] })['status']).toMatchObject({
      conditions: [{ type: 'Ready', status: 'True', reason: null, message: null }],
    });
  });

  it('carries container states in the API’s own shape', () => {
    const base = { name: 'c', image: 'i', imageID: '', ready: false, restartCount: 1 };
    const patch = buildPodStatusPatch(pod(), {
      ...status,
      containerStatuses: [
        {
          ...base,
          state: { kind: 'waiting', reason: 'CrashLoopBackOff' },
          lastState: { kind: 'terminated', exitCode: 3, reason: 'Error', finishedAt: '2026-11-23T11:00:00Z' },
        },
        { ...base, state: { kind: 'running', startedAt: '' } },
      ],
    });
    expect(JSON.parse(JSON.stringify(patch)).status.containerStatuses).toStrictEqual([
      {
        ...base,
        state: { waiting: { reason: 'CrashLoopBackOff' } },
        lastState: { terminated: { exitCode: 3, reason: 'Error', finishedAt: '2026-11-23T11:00:00Z' } },
      },
      { ...base, state: { running: { startedAt: null } }, lastState: {} },
    ]);
  });
});

it('the patch of a node’s status replaces what a merge would keep', () => {
  const patch = buildNodeStatusPatch({
    capacity: { cpu: '4' },
    allocatable: { cpu: '3' },
    conditions: [],
    addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
    kubeletPort: 10250,
    nodeInfo: { architecture: 'amd64' },
    declaredFeatures: ['A'],
  });
  expect(patch).toStrictEqual({
    status: {
      capacity: { $patch: 'replace', cpu: '4' },
      allocatable: { $patch: 'replace', cpu: '3' },
      conditions: [],
      addresses: [{ $patch: 'replace' }, { type: 'InternalIP', address: '10.0.0.1' }],
      daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
      nodeInfo: { architecture: 'amd64' },
      declaredFeatures: ['A'],
    },
  });
});
