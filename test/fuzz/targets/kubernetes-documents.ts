import type { NodeTemplate } from '../../../shared/core/kubernetes/node.ts';
import { statusBody } from '../../adapters/kubernetes/canned-server.ts';
import type { Secrets } from '../secrets.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const time = '2026-11-23T12:00:00Z';

export const nodeTemplate: NodeTemplate = {
  name: 'aci-1',
  labels: { type: 'virtual-kubelet' },
  annotations: {},
  taints: [{ key: 'virtual-kubelet.io/provider', value: 'azure', effect: 'NoSchedule' }],
  status: {
    capacity: { cpu: '100' },
    allocatable: { cpu: '100' },
    conditions: [],
    addresses: [{ type: 'InternalIP', address: '10.0.0.7' }],
    kubeletPort: 10_250,
    nodeInfo: {},
    declaredFeatures: [],
  },
};

/** A pod with a bit of everything that is read, as the API server writes it. */
export const podDocument = (name: string, secrets: Secrets): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    namespace: 'default',
    uid: `5d0e6b0c-0000-4000-8000-${name.padStart(12, '0')}`,
    resourceVersion: '10',
    generation: 1,
    creationTimestamp: time,
    deletionTimestamp: time,
    deletionGracePeriodSeconds: 30,
    labels: { app: 'x' },
    annotations: { 'serverless-kubelet.io/x': 'y' },
    ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: 'j', uid: 'u', controller: true }],
  },
  spec: {
    nodeName: 'aci-1',
    restartPolicy: 'OnFailure',
    terminationGracePeriodSeconds: 30,
    activeDeadlineSeconds: 600,
    serviceAccountName: 'default',
    enableServiceLinks: true,
    imagePullSecrets: [{ name: 'pull' }],
    tolerations: [{ operator: 'Exists' }],
    initContainers: [{ name: 'init', image: 'busybox', command: ['true'], resources: { requests: { cpu: '100m' } } }],
    containers: [
      {
        name: 'main',
        image: 'registry.example/app:1',
        command: ['sh', '-c'],
        args: ['echo $(PASSWORD)'],
        env: [
          { name: 'PLAIN', value: secrets.plant('literal', name) },
          { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
          { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
          { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } },
          { name: 'CONFIG', valueFrom: { configMapKeyRef: { name: 'c', key: 'k', optional: true } } },
        ],
        envFrom: [{ prefix: 'A_', secretRef: { name: 's' } }, { configMapRef: { name: 'c' } }],
        ports: [{ containerPort: 80, protocol: 'TCP', name: 'http' }],
        resources: { requests: { cpu: '250m', memory: '128Mi' }, limits: { cpu: '1', memory: '1.5Gi' } },
        volumeMounts: [
          { name: 'keys', mountPath: '/keys', readOnly: true },
          { name: 'all', mountPath: '/all' },
          { name: 'work', mountPath: '/work', subPath: 'x' },
        ],
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        livenessProbe: { httpGet: { path: '/', port: 80 } },
      },
    ],
    volumes: [
      { name: 'keys', secret: { secretName: 's', items: [{ key: 'k', path: 'file', mode: 256 }] } },
      { name: 'work', emptyDir: { sizeLimit: '1Gi' } },
      {
        name: 'all',
        projected: {
          sources: [
            { serviceAccountToken: { path: 'token', expirationSeconds: 3607 } },
            { configMap: { name: 'c' } },
            { downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
          ],
        },
      },
    ],
  },
  status: {
    phase: 'Running',
    qosClass: 'Burstable',
    startTime: time,
    hostIP: '10.0.0.7',
    podIP: '10.1.0.4',
    conditions: [
      { type: 'PodScheduled', status: 'True', lastTransitionTime: time, lastProbeTime: null },
      { type: 'Ready', status: 'False', reason: 'ContainersNotReady', message: 'm', lastTransitionTime: time },
    ],
    initContainerStatuses: [
      status('init', { terminated: { exitCode: 0, reason: 'Completed', startedAt: time, finishedAt: time } }),
    ],
    containerStatuses: [status('main', { running: { startedAt: time } })],
  },
});

const status = (name: string, state: object): object => ({
  name,
  image: 'i',
  imageID: 'sha256:1',
  containerID: 'aci://x',
  ready: false,
  started: true,
  restartCount: 1,
  state,
  lastState: { terminated: { exitCode: 3, reason: 'Error', startedAt: time, finishedAt: time } },
});

const listOf = (kind: string, items: readonly object[]): object => ({
  kind,
  apiVersion: 'v1',
  metadata: { resourceVersion: '9', continue: '' },
  items,
});
const named = (kind: string, more: object): object => ({
  kind,
  apiVersion: 'v1',
  metadata: { name: 'p', namespace: 'default', uid: 'u-1', resourceVersion: '7', creationTimestamp: time },
  ...more,
});
const service = {
  metadata: { name: 's', namespace: 'default' },
  spec: { clusterIP: '10.2.0.1', ports: [{ name: 'http', port: 80, protocol: 'TCP' }] },
};

/** What the API server says when all is well, and how it refuses. */
export function documents(secrets: Secrets) {
  const user = { username: 'system:serviceaccount:kube-system:relay', groups: ['g'], uid: 'u', extra: {} };
  const review = (over: object): object => ({
    kind: 'TokenReview',
    apiVersion: 'authentication.k8s.io/v1',
    spec: { token: secrets.plant('echoed token', '') },
    status: { authenticated: true, audiences: ['serverless-kubelet'], user, ...over },
  });
  return {
    podList: listOf('PodList', [podDocument('1', secrets), podDocument('2', secrets)]),
    onePod: listOf('PodList', [podDocument('p', secrets)]),
    pod: podDocument('p', secrets),
    success: statusBody(200, '', 'done'),
    node: named('Node', {
      metadata: { name: 'aci-1', uid: 'u', resourceVersion: '3', labels: {}, annotations: { a: 'b' } },
      spec: { unschedulable: true, taints: nodeTemplate.taints },
      status: {
        capacity: { cpu: '100', pods: 5 },
        conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: time, lastTransitionTime: time }],
        addresses: nodeTemplate.status.addresses,
        daemonEndpoints: { kubeletEndpoint: { Port: 10_250 } },
        nodeInfo: { kubeletVersion: 'v1', swap: { capacity: 1 } },
      },
    }),
    lease: named('Lease', {
      spec: { holderIdentity: 'aci-1', leaseDurationSeconds: 40, renewTime: '2026-11-23T12:00:00.123456Z' },
    }),
    secret: named('Secret', { type: 'Opaque', data: { k: base64(secrets.plant('secret data', '')) } }),
    configMap: named('ConfigMap', { data: { k: 'v' }, binaryData: { b: base64('x') } }),
    serviceList: listOf('ServiceList', [service, { ...service, spec: { clusterIP: 'None' } }]),
    tokenRequest: named('TokenRequest', {
      status: { token: secrets.plant('issued token', ''), expirationTimestamp: time },
    }),
    namespace: named('Namespace', {}),
    tokenReview: review({}),
    refusedReview: review({ authenticated: undefined, error: 'unknown', audiences: undefined }),
    refusals: [
      { status: 404, body: statusBody(404, 'NotFound') },
      { status: 409, body: statusBody(409, 'Conflict') },
      { status: 409, body: statusBody(409, 'AlreadyExists') },
      { status: 403, body: statusBody(403, 'Forbidden') },
      { status: 410, body: statusBody(410, 'Expired') },
      { status: 422, body: statusBody(422, 'Invalid') },
      { status: 429, body: { ...statusBody(429, 'TooManyRequests'), details: { retryAfterSeconds: 1 } } },
      { status: 500, body: statusBody(500, 'InternalError') },
    ],
  };
}
