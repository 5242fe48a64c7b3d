import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePod } from '../../shared/wire/pod.ts';

const metadata = {
  name: 'web',
  namespace: 'shop',
  uid: 'u-1',
  resourceVersion: '7',
  creationTimestamp: '2026-01-01T00:00:00Z',
};
const least = { metadata, spec: { containers: [{ name: 'main', image: 'busybox' }] } };
const withSpec = (spec: Record<string, unknown>) => parsePod({ ...least, spec: { ...least.spec, ...spec } });
const withContainer = (more: Record<string, unknown>) =>
  withSpec({ containers: [{ name: 'main', ...more }] })?.spec.containers[0];
const volumeSource = (source: Record<string, unknown>) =>
  withSpec({ volumes: [{ name: 'data', ...source }] })?.spec.volumes[0]?.source;
const withStatus = (status: unknown) => parsePod({ ...least, status })?.status;

describe('the least pod', () => {
  it('has the defaults of the API', () => {
    expect(parsePod(least)).toEqual({
      metadata: { ...metadata, generation: 0, labels: {}, annotations: {}, ownerReferences: [] },
      spec: {
        nodeName: '',
        containers: [
          {
            name: 'main',
            image: 'busybox',
            command: [],
            args: [],
            env: [],
            envFrom: [],
            ports: [],
            resources: { requests: {}, limits: {} },
            volumeMounts: [],
          },
        ],
        initContainers: [],
        restartPolicy: 'Always',
        volumes: [],
        imagePullSecrets: [],
        serviceAccountName: '',
        enableServiceLinks: true,
        terminationGracePeriodSeconds: 30,
      },
      status: { phase: 'Pending', conditions: [], initContainerStatuses: [], containerStatuses: [] },
      rawSpec: least.spec,
    });
  });

  it('keeps its spec as it was sent, what is unknown too', () => {
    const spec = { ...least.spec, colour: { deep: [1, null, false] } };
    expect(parsePod({ ...least, spec })?.rawSpec).toEqual(spec);
  });

  it('takes null for an empty list or map, as Go writes it', () => {
    const pod = parsePod({
      ...least,
      metadata: { ...metadata, labels: null, ownerReferences: null, creationTimestamp: null },
      spec: { ...least.spec, volumes: null, initContainers: null },
    });
    expect(pod?.spec.volumes).toEqual([]);
    expect(pod?.metadata.creationTimestamp).toBe('');
  });

  it('knows who controls it', () => {
    const pod = parsePod({
      ...least,
      metadata: {
        ...metadata,
        ownerReferences: [
          { kind: 'Job', name: 'pi', uid: 'j', controller: true, apiVersion: 'batch/v1' },
          { kind: 'X', name: 'x', uid: 'x' },
        ],
      },
    });
    expect(pod?.metadata.ownerReferences.map(({ controller }) => controller)).toEqual([true, false]);
  });
});

describe('what is no pod', () => {
  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a page of HTML', '<html>'],
    ['an empty object', {}],
    ['a list', []],
    ['a pod without a name', { ...least, metadata: { ...metadata, name: '' } }],
    ['a pod without a UID', { ...least, metadata: { ...metadata, uid: undefined } }],
    ['a pod without a spec', { metadata }],
    ['a spec without containers', { metadata, spec: {} }],
    ['a container that is a text', { metadata, spec: { containers: ['x'] } }],
    ['a policy that nobody knows', { metadata, spec: { ...least.spec, restartPolicy: 'Sometimes' } }],
    [
      'a variable that is a number',
      { metadata, spec: { containers: [{ name: 'a', env: [{ name: 'X', value: 1 }] }] } },
    ],
    ['a phase that nobody knows', { ...least, status: { phase: 'Resting' } }],
    [
      'an exit code that is a text',
      { ...least, status: { containerStatuses: [{ name: 'a', state: { terminated: { exitCode: '0' } } }] } },
    ],
  ])('%s', (_, json) => {
    expect(parsePod(json)).toBeUndefined();
  });

  it('is never thrown at', () => {
    fc.assert(
      fc.property(fc.anything(), (json) => {
        expect(parsePod(json)).toBeUndefined();
      }),
    );
  });
});

describe('a container', () => {
  it.each<[string, Record<string, unknown>, unknown]>([
    [
      'quantities that are numbers',
      { resources: { requests: { cpu: 2 }, limits: { memory: '1Gi' } } },
      { resources: { requests: { cpu: '2' }, limits: { memory: '1Gi' } } },
    ],
    [
      'ports',
      { ports: [{ containerPort: 80 }, { containerPort: 53, protocol: 'UDP', name: 'dns' }] },
      {
        ports: [
          { containerPort: 80, protocol: 'TCP' },
          { containerPort: 53, protocol: 'UDP', name: 'dns' },
        ],
      },
    ],
    [
      'mounts',
      { volumeMounts: [{ name: 'a', mountPath: '/a' }] },
      { volumeMounts: [{ name: 'a', mountPath: '/a', readOnly: false }] },
    ],
    [
      'sources',
      { envFrom: [{ secretRef: { name: 'x' } }] },
      { envFrom: [{ prefix: '', secretRef: { name: 'x', optional: false } }] },
    ],
    [
      'variables',
      {
        env: [
          { name: 'A', valueFrom: { configMapKeyRef: { name: 'x', key: 'y', optional: true } } },
          { name: 'B', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
          { name: 'C', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '0' } } },
          { name: 'D', valueFrom: { fileKeyRef: {} } },
        ],
      },
      {
        env: [
          { name: 'A', valueFrom: { configMapKeyRef: { name: 'x', key: 'y', optional: true }, other: [] } },
          { name: 'B', valueFrom: { fieldRef: { fieldPath: 'metadata.name' }, other: [] } },
          { name: 'C', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '0' }, other: [] } },
          { name: 'D', valueFrom: { other: ['fileKeyRef'] } },
        ],
      },
    ],
  ])('has %s', (_, more, expected) => {
    expect(withContainer(more)).toMatchObject(expected as Record<string, unknown>);
  });
});

describe('a volume', () => {
  it.each<[Record<string, unknown>, unknown]>([
    [{}, { kind: 'emptyDir' }],
    [{ emptyDir: {} }, { kind: 'emptyDir' }],
    [{ emptyDir: { medium: 'Memory', sizeLimit: '1Gi' } }, { kind: 'emptyDir', medium: 'Memory', sizeLimit: '1Gi' }],
    [
      { configMap: { name: 'x', defaultMode: 420 } },
      { kind: 'configMap', name: 'x', optional: false, defaultMode: 420 },
    ],
    [
      { secret: { secretName: 'x', optional: true, items: [{ key: 'a', path: 'b' }] } },
      { kind: 'secret', name: 'x', optional: true, items: [{ key: 'a', path: 'b' }] },
    ],
    [{ hostPath: { path: '/' } }, { kind: 'other', field: 'hostPath' }],
    [
      { downwardAPI: { items: [{ path: 'a', fieldRef: { fieldPath: 'metadata.name' } }] } },
      { kind: 'downwardAPI', items: [{ path: 'a', fieldRef: { fieldPath: 'metadata.name' } }] },
    ],
    [
      {
        projected: {
          sources: [
            { serviceAccountToken: { path: 'token' } },
            { configMap: { name: 'ca' } },
            { clusterTrustBundle: { path: 'x', signerName: 's', labelSelector: { matchLabels: { a: 'b' } } } },
            { clusterTrustBundle: { path: 'y', name: 'n', optional: true } },
            { podCertificate: { signerName: 's' } },
          ],
          defaultMode: 420,
        },
      },
      {
        kind: 'projected',
        defaultMode: 420,
        sources: [
          { kind: 'serviceAccountToken', expirationSeconds: 3600, path: 'token' },
          { kind: 'configMap', name: 'ca', optional: false },
          {
            kind: 'clusterTrustBundle',
            path: 'x',
            signerName: 's',
            labelSelector: { matchLabels: { a: 'b' }, matchExpressions: [] },
            optional: false,
          },
          { kind: 'clusterTrustBundle', path: 'y', name: 'n', optional: true },
          { kind: 'other', field: 'podCertificate' },
        ],
      },
    ],
  ])('%j is read', (source, expected) => {
    expect(volumeSource(source)).toEqual(expected);
  });
});

describe('a status', () => {
  const stateOf = (status: Record<string, unknown>) =>
    withStatus({ phase: 'Running', containerStatuses: [{ name: 'main', ...status }] })?.containerStatuses[0];

  it.each<[string, Record<string, unknown>, unknown]>([
    ['without a state waits', {}, { state: { kind: 'waiting', reason: '' } }],
    ['with an empty state waits', { state: {} }, { state: { kind: 'waiting', reason: '' } }],
    [
      'waits',
      { state: { waiting: { reason: 'ContainerCreating' } } },
      { state: { kind: 'waiting', reason: 'ContainerCreating' } },
    ],
    [
      'runs',
      { state: { running: { startedAt: '2026-01-01T00:00:00Z' } }, ready: true, started: true },
      { state: { kind: 'running', startedAt: '2026-01-01T00:00:00Z' }, ready: true, started: true },
    ],
    [
      'ended, after having failed before',
      {
        restartCount: 1,
        state: { terminated: { exitCode: 0, reason: 'Completed', startedAt: null, finishedAt: 't' } },
        lastState: { terminated: { exitCode: 3, reason: 'Error', startedAt: 's', finishedAt: 't' } },
      },
      {
        restartCount: 1,
        state: { kind: 'terminated', exitCode: 0, reason: 'Completed', finishedAt: 't' },
        lastState: { kind: 'terminated', exitCode: 3, reason: 'Error', startedAt: 's', finishedAt: 't' },
      },
    ],
  ])('of a container %s', (_, status, expected) => {
    expect(stateOf(status)).toMatchObject(expected as Record<string, unknown>);
  });

  it('has no last state when that is empty, as the API server sends it', () => {
    expect(stateOf({ lastState: {} })).not.toHaveProperty('lastState');
  });

  it('keeps conditions, without the times that are null', () => {
    const condition = {
      type: 'Ready',
      status: 'False',
      reason: 'X',
      lastProbeTime: null,
      lastTransitionTime: 't',
      observedGeneration: 2,
    };
    expect(withStatus({ conditions: [condition] })?.conditions).toEqual([
      { type: 'Ready', status: 'False', reason: 'X', lastTransitionTime: 't', observedGeneration: 2 },
    ]);
  });
});
