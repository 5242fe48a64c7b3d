import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault, Result } from '../../../shared/core/fault.ts';
import type { JsonObject } from '../../../shared/core/json.ts';
import type { KubeNode, NodeCondition, NodeTemplate } from '../../../shared/core/kubernetes/node.ts';
import type { Pod, PodCondition, PodStatus } from '../../../shared/core/kubernetes/pod.ts';
import type { ClusterApi, NodeApi } from '../../../shared/ports/node-api.ts';

/** The app's own two nodes; a third is somebody else's. */
export const node = 'aci-1';
export const sibling = 'aci-2';
export const stranger = 'vm-1';
export const namespace = 'default';
export const { signal: never } = new AbortController();

/** A pod as a user creates it: one container `c`; what is absent is the API server's to fill in. */
export interface PodWanted {
  readonly name: string;
  /** Where it is bound from the start; absent: nowhere, and nobody schedules it. */
  readonly nodeName?: string;
  readonly spec?: JsonObject;
  readonly finalizers?: readonly string[];
}

export interface SeenEvent {
  readonly reason: string;
  readonly message: string;
  readonly count: number;
  readonly lastTimestamp: string;
}

/** What users and controllers do; everything as the cluster's administrator, in the namespace `default`. */
export interface ClusterHands {
  createPod(wanted: PodWanted): Promise<Pod>;
  /** As the scheduler does, through the binding subresource. */
  bindPod(name: string, nodeName: string): Promise<void>;
  getPod(name: string): Promise<Pod | undefined>;
  /** A DELETE; whether there is such a pod is no matter. */
  deletePod(name: string, options?: { readonly gracePeriodSeconds?: number; readonly uid?: string }): Promise<void>;
  setPodCondition(name: string, condition: PodCondition): Promise<void>;
  annotatePod(name: string, annotations: Readonly<Record<string, string>>): Promise<void>;
  setImage(name: string, image: string): Promise<void>;
  removeFinalizers(name: string): Promise<void>;
  putSecret(name: string, data: Readonly<Record<string, string>>): Promise<void>;
  putConfigMap(name: string, data: Readonly<Record<string, string>>): Promise<void>;
  putServiceAccount(name: string): Promise<void>;
  /** `headless`: without a cluster IP. */
  putService(name: string, kind: 'clusterIP' | 'headless'): Promise<void>;
  createNode(name: string): Promise<void>;
  getNode(name: string): Promise<KubeNode | undefined>;
  deleteNode(name: string): Promise<void>;
  setNodeCondition(name: string, condition: NodeCondition): Promise<void>;
  /** The events about an object, in no order. */
  events(uid: string): Promise<readonly SeenEvent[]>;
  /** As the API server does an hour after its last writing. */
  dropEvents(uid: string): Promise<void>;
  /** A token of the relay's ServiceAccount, for this audience; `expired`: it was one until a minute ago. */
  relayToken(audience: string, options?: { readonly expired: boolean }): Promise<string>;
}

export interface ClusterUnderTest {
  readonly nodeApi: (name: string) => NodeApi;
  readonly api: ClusterApi;
  readonly hands: ClusterHands;
  readonly clusterUid: string;
  readonly relayUsername: string;
  /** Lets the cluster's time pass: a virtual clock jumps, a real one is waited for. */
  elapse(ms: number): Promise<void>;
  close(): Promise<void>;
}

/** The value, or the fault as the test's failure. */
export function valueOf<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(JSON.stringify(result.fault));
  return result.value;
}

/** `conflict AlreadyExists`, `denied`…: a fault as far as somebody decides by it. */
export function faultOf<T>(result: Result<T>): string {
  return result.ok ? 'ok' : describe(result.fault);
}

const describe = (fault: Fault): string =>
  fault.kind === 'conflict' || fault.kind === 'rejected' ? `${fault.kind} ${fault.code}` : fault.kind;

/** The authorizer's graph and the controllers follow the objects a moment later. */
export async function eventually<T>(look: () => Promise<T>, isDone: (seen: T) => boolean): Promise<T> {
  for (let attempt = 0; attempt < 150; attempt += 1) {
    const seen = await look();
    if (isDone(seen)) return seen;
    await sleep(100);
  }
  return look();
}

/** The value of a call that the authorizer's graph may refuse at first. */
export const whenAllowed = async <T>(call: () => Promise<Result<T>>): Promise<T> =>
  valueOf(await eventually(call, ({ ok }) => ok));

export function nodeTemplate(name: string, changes: Partial<NodeTemplate> = {}): NodeTemplate {
  const heartbeat = { lastHeartbeatTime: '2026-11-23T05:00:00Z', lastTransitionTime: '2026-11-23T05:00:00Z' };
  return {
    name,
    labels: {
      type: 'virtual-kubelet',
      'kubernetes.azure.com/managed': 'false',
      'node.kubernetes.io/exclude-from-external-load-balancers': 'true',
      'node.kubernetes.io/instance-type': 'aci',
      'topology.kubernetes.io/region': 'westeurope',
      'topology.kubernetes.io/zone': 'westeurope-1',
    },
    annotations: { 'example.com/owner': 'installation-1' },
    taints: [{ key: 'virtual-kubelet.io/provider', value: 'azure', effect: 'NoSchedule' }],
    status: {
      capacity: { cpu: '100', memory: '400Gi', pods: '100', 'example.com/gone': '1' },
      allocatable: { cpu: '100', memory: '400Gi', pods: '100', 'example.com/gone': '1' },
      conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'ready', ...heartbeat }],
      addresses: [
        { type: 'InternalIP', address: '10.0.0.1' },
        { type: 'Hostname', address: name },
      ],
      kubeletPort: 10250,
      nodeInfo: {
        machineID: 'm',
        systemUUID: 's',
        bootID: 'b',
        kernelVersion: 'k',
        osImage: 'o',
        containerRuntimeVersion: 'aci://2023-05-01',
        kubeletVersion: 'v1.36.3-aci.0',
        kubeProxyVersion: '',
        operatingSystem: 'linux',
        architecture: 'amd64',
      },
      declaredFeatures: ['ExtendWebSocketsToKubelet'],
    },
    ...changes,
  };
}

/** The status of a pod whose container runs, and has ended once before. */
export const running = (pod: Pod, changes: Partial<PodStatus> = {}): PodStatus => ({
  phase: 'Running',
  startTime: '2026-11-23T05:00:00Z',
  hostIP: '10.0.0.1',
  podIP: '10.9.0.7',
  observedGeneration: pod.metadata.generation,
  conditions: [
    { type: 'Ready', status: 'True', lastTransitionTime: '2026-11-23T05:00:06Z' },
    // Somebody else's word: the port does not send it.
    { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByPodGC' },
  ],
  initContainerStatuses: [],
  containerStatuses: [
    {
      name: 'c',
      image: 'busybox',
      imageID: '',
      containerID: 'aci://1/c',
      ready: true,
      started: true,
      restartCount: 1,
      state: { kind: 'running', startedAt: '2026-11-23T05:00:05Z' },
      lastState: { kind: 'terminated', exitCode: 3, reason: 'Error', finishedAt: '2026-11-23T05:00:04Z' },
    },
  ],
  ...changes,
});

/** The status of a pod whose container ended with this code. */
export const ended = (pod: Pod, exitCode: number): PodStatus => ({
  ...running(pod),
  phase: exitCode === 0 ? 'Succeeded' : 'Failed',
  conditions: [{ type: 'Ready', status: 'False', reason: 'PodCompleted' }],
  containerStatuses: [
    {
      name: 'c',
      image: 'busybox',
      imageID: '',
      ready: false,
      restartCount: 0,
      state: { kind: 'terminated', exitCode, reason: exitCode === 0 ? 'Completed' : 'Error' },
    },
  ],
});
