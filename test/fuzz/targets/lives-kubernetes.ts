import { createClusterApi } from '../../../shared/adapters/kubernetes/cluster-api.ts';
import { asNode } from '../../../shared/adapters/kubernetes/http.ts';
import type { KubernetesClient } from '../../../shared/adapters/kubernetes/http.ts';
import { createNodeApi } from '../../../shared/adapters/kubernetes/node-api.ts';
import type { ClusterDeps, NodeDeps } from '../../../shared/app/deps.ts';
import type { Fault, Result } from '../../../shared/core/fault.ts';
import type { KubeNode, Lease } from '../../../shared/core/kubernetes/node.ts';
import type { Pod } from '../../../shared/core/kubernetes/pod.ts';
import type { PodToken, ServiceInfo } from '../../../shared/core/kubernetes/references.ts';
import { buildPodStatusPatch, nodeStatus } from '../../../shared/core/kubernetes/status-patch.ts';
import type { EmptyServicesSecret, ServicesCredential } from '../../../shared/core/kubernetes/cluster-reach.ts';
import type { ClusterApi, NodeApi } from '../../../shared/ports/node-api.ts';
import { formatLease } from '../../../shared/wire/kubernetes/lease.ts';
import { statusBody } from '../../adapters/kubernetes/canned-server.ts';
import type { Mutator } from '../mutator.ts';
import { garbageOf } from './garbage.ts';
import type { FramedAnswer, WireServer } from './kubernetes-wire.ts';
import { mutateFramed } from './kubernetes-wire.ts';
import type { Meddler } from './lives.ts';

interface Truth {
  readonly status: number;
  readonly body: object;
  readonly vital: readonly string[];
}

type Thunk = () => Promise<Truth>;

/**
 * A cluster's ports through the real adapters and a socket: the server answers each request with what the same call of
 * the port in memory says, as JSON. Requests are distinguished by a number in the user agent's stead: one client a call.
 */
export class Tunnel {
  readonly #server: WireServer;
  readonly #client: KubernetesClient;
  readonly #thunks = new Map<string, Thunk>();
  readonly #meddler: Meddler;
  readonly #mutator: Mutator;
  #calls = 0;

  constructor(server: WireServer, client: KubernetesClient, meddler: Meddler, mutator: Mutator) {
    this.#server = server;
    this.#client = client;
    this.#meddler = meddler;
    this.#mutator = mutator;
    server.answer = (request) => this.#answer(request.url.pathname);
  }

  /** A client whose every request reaches `thunk`: its number is the prefix of the server's path. */
  #through(thunk: Thunk): KubernetesClient {
    this.#calls += 1;
    const prefix = `/call-${this.#calls}`;
    this.#thunks.set(prefix, thunk);
    return { ...this.#client, config: { ...this.#client.config, server: `${this.#server.url}${prefix}` } };
  }

  async #answer(path: string): Promise<FramedAnswer> {
    const prefix = `/${path.split('/')[1] ?? ''}`;
    const thunk = this.#thunks.get(prefix);
    if (thunk === undefined) throw new Error(`nobody asked ${path}`);
    const how = this.#meddler.next();
    const lost: FramedAnswer = { status: 200, headers: {}, body: Buffer.from(''), framing: 'reset' };
    if (how === 'lost before') return lost;
    const truth = await thunk();
    if (how === 'lost after') return lost;
    return how === 'true' ? framed(truth) : meddled(truth, how, this.#mutator);
  }

  nodeDeps(node: NodeDeps): NodeDeps {
    return {
      ...node,
      api: this.#nodeApi(node.api, node.key.node),
      cluster: { ...node.cluster, api: this.#clusterApi(node.cluster.api) },
    };
  }

  clusterDeps(cluster: ClusterDeps): ClusterDeps {
    const nodes = [...cluster.nodes].map(([name, node]): [string, NodeDeps] => [name, this.nodeDeps(node)]);
    return { ...cluster, api: this.#clusterApi(cluster.api), nodes: new Map(nodes) };
  }

  #clusterApi(memory: ClusterApi): ClusterApi {
    const over = (thunk: Thunk): ClusterApi => createClusterApi(this.#through(thunk));
    return {
      getClusterUid: (signal) =>
        over(async () =>
          toTruth(await memory.getClusterUid(signal), (uid) => ({ kind: 'Namespace', metadata: { uid } }), [
            'kind',
            'metadata',
          ]),
        ).getClusterUid(signal),
      reviewToken: (token, audience, signal) =>
        over(async () =>
          toTruth(
            await memory.reviewToken(token, audience, signal),
            (user) => ({
              kind: 'TokenReview',
              status: user === undefined ? {} : { authenticated: true, audiences: [audience], user },
            }),
            ['kind', 'status'],
          ),
        ).reviewToken(token, audience, signal),
      getServicesCredential: (secret, signal) =>
        over(async () =>
          toTruth(await memory.getServicesCredential(secret, signal), credentialJson, ['kind', 'metadata', 'data']),
        ).getServicesCredential(secret, signal),
      patchNode: (node, change, signal) =>
        over(async () =>
          toTruth(await memory.patchNode(node, change, signal), nodeJson, ['metadata', 'status']),
        ).patchNode(node, change, signal),
      deleteNode: (name, uid, signal) =>
        over(async () => done(await memory.deleteNode(name, uid, signal))).deleteNode(name, uid, signal),
    };
  }

  #nodeApi(memory: NodeApi, name: string): NodeApi {
    const over = (thunk: Thunk): NodeApi => createNodeApi(asNode(this.#through(thunk), name), name);
    const node = (result: Result<KubeNode>): Truth => toTruth(result, nodeJson, ['metadata', 'status']);
    const lease = (result: Result<Lease>): Truth => toTruth(result, leaseJson, ['metadata', 'spec']);
    const podList = (result: Result<readonly Pod[]>): Truth =>
      toTruth(result, (pods) => listJson('PodList', pods.map(podJson)), listVital);
    return {
      now: () => memory.now(),
      getNode: (signal) => over(async () => node(await memory.getNode(signal))).getNode(signal),
      createNode: (one, signal) => over(async () => node(await memory.createNode(one, signal))).createNode(one, signal),
      patchNodeStatus: (patch, signal) =>
        over(async () => node(await memory.patchNodeStatus(patch, signal))).patchNodeStatus(patch, signal),
      getLease: (signal) => over(async () => lease(await memory.getLease(signal))).getLease(signal),
      createLease: (one, signal) =>
        over(async () => lease(await memory.createLease(one, signal))).createLease(one, signal),
      updateLease: (one, signal) =>
        over(async () => lease(await memory.updateLease(one, signal))).updateLease(one, signal),
      deleteLease: (signal) => over(async () => done(await memory.deleteLease(signal))).deleteLease(signal),
      listPods: (signal) => over(async () => podList(await memory.listPods(signal))).listPods(signal),
      getPod: (ref, signal) =>
        over(async () =>
          podList(mapResult(await memory.getPod(ref, signal), (pod) => (pod === undefined ? [] : [pod]))),
        ).getPod(ref, signal),
      patchPodStatus: (pod, status, signal) => {
        let isFirst = true;
        // A refused patch is followed by a list of that pod.
        return over(async () => {
          if (!isFirst)
            return podList(
              mapResult(await memory.getPod(pod.metadata, signal), (one) => (one === undefined ? [] : [one])),
            );
          isFirst = false;
          return toTruth(await memory.patchPodStatus(pod, status, signal), podJson, [
            'metadata',
            'spec',
            'metadata.uid',
          ]);
        }).patchPodStatus(pod, status, signal);
      },
      deletePod: (pod, options, signal) =>
        over(async () => done(await memory.deletePod(pod, options, signal))).deletePod(pod, options, signal),
      getSecret: (ref, signal) =>
        over(async () =>
          toTruth(
            await memory.getSecret(ref, signal),
            ({ type, data }) => ({ kind: 'Secret', type, data: base64(data) }),
            ['kind'],
          ),
        ).getSecret(ref, signal),
      getConfigMap: (ref, signal) =>
        over(async () =>
          toTruth(await memory.getConfigMap(ref, signal), ({ data }) => ({ kind: 'ConfigMap', data }), ['kind']),
        ).getConfigMap(ref, signal),
      getReferenceVersion: (kind, ref, signal) =>
        over(async () =>
          toTruth(
            await memory.getReferenceVersion(kind, ref, signal),
            (resourceVersion) => ({ kind: 'PartialObjectMetadata', metadata: { resourceVersion } }),
            ['metadata'],
          ),
        ).getReferenceVersion(kind, ref, signal),
      getPersistentVolumeClaim: (ref, signal) => memory.getPersistentVolumeClaim(ref, signal),
      getPersistentVolume: (name, signal) => memory.getPersistentVolume(name, signal),
      listServices: (namespace, signal) =>
        over(async () =>
          toTruth(
            await memory.listServices(namespace, signal),
            (all) => listJson('ServiceList', all.map(serviceJson)),
            listVital,
          ),
        ).listServices(namespace, signal),
      listTrustBundles: (selector, signal) => memory.listTrustBundles(selector, signal),
      createToken: (request, signal) =>
        over(async () =>
          toTruth(await memory.createToken(request, signal), tokenJson, ['kind', 'metadata', 'status']),
        ).createToken(request, signal),
      createEvent: (event, signal) =>
        over(async () => done(await memory.createEvent(event, signal))).createEvent(event, signal),
      repeatEvent: (event, signal) =>
        over(async () => done(await memory.repeatEvent(event, signal))).repeatEvent(event, signal),
    };
  }
}

const listVital = ['kind', 'metadata', 'items', 'items[].metadata', 'items[].spec'];

const framed = ({ status, body }: Truth): FramedAnswer => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: Buffer.from(JSON.stringify(body)),
  framing: 'plain',
});

/** Those of a client's mistake say nothing without a body that does. */
const unsure = [400, 404, 404, 404, 404, 404, 404, 404, 404, 409, 412, 500, 502, 503, 504, 408, 301, 304, 599];

function meddled(truth: Truth, how: 'garbage' | 'mutated', mutator: Mutator): FramedAnswer {
  let answer = framed(truth);
  mutator.step((dice) => {
    if (how === 'mutated') {
      answer = mutateFramed(truth, mutator);
      return 'kubernetes:mutated';
    }
    const { body, did } = garbageOf(truth.body, truth.vital, dice);
    const status = dice.chance(0.5) ? dice.pick(unsure) : truth.status;
    answer = { ...answer, body, status };
    return `kubernetes:${did} ${truth.status}→${status}`;
  });
  return answer;
}

const toTruth = <T>(result: Result<T>, json: (value: T) => object, vital: readonly string[]): Truth =>
  result.ok ? { status: 200, body: json(result.value), vital } : refusal(result.fault);

const done = (result: Result<void>): Truth =>
  toTruth(result, () => ({ kind: 'Status', apiVersion: 'v1', status: 'Success' }), ['kind']);

const mapResult = <T, U>(result: Result<T>, map: (value: T) => U): Result<U> =>
  result.ok ? { ok: true, value: map(result.value) } : result;

function refusal(fault: Fault): Truth {
  const statuses = {
    'not-found': 404,
    conflict: 409,
    capacity: 409,
    throttled: 429,
    denied: 403,
    rejected: 422,
    transient: 500,
  };
  const status = statuses[fault.kind];
  // 403 speaks by its code alone, so nothing in its body is vital.
  return { status, body: statusBody(status, 'code' in fault ? fault.code : '', fault.message), vital: ['kind'] };
}

const listJson = (kind: string, items: readonly object[]): object => ({
  kind,
  apiVersion: 'v1',
  metadata: { resourceVersion: '9' },
  items,
});

const podJson = (pod: Pod): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: pod.metadata,
  spec: { ...pod.rawSpec, nodeName: pod.spec.nodeName },
  status: statusJson(pod),
});

/** A patch of its own status is all of it but the conditions of others and what only a server writes. */
function statusJson(pod: Pod): object {
  const status: unknown = buildPodStatusPatch(pod, pod.status)['status'];
  const { qosClass, conditions } = pod.status;
  const members = Object.entries(status as object).filter(
    ([name, value]) => value !== null && name !== 'hostIPs' && name !== 'podIPs',
  );
  return { ...Object.fromEntries(members), qosClass, conditions };
}

const nodeJson = ({ metadata, unschedulable, taints, status }: KubeNode): object => ({
  kind: 'Node',
  metadata,
  spec: { unschedulable, taints },
  status: nodeStatus(status),
});

function leaseJson(lease: Lease): object {
  const { metadata, ...rest } = formatLease(lease);
  return { ...rest, metadata: { ...(metadata as object), uid: 'u' } };
}

const tokenJson = ({ value, lifetimeSeconds }: PodToken): object => ({
  kind: 'TokenRequest',
  metadata: { creationTimestamp: new Date(0).toISOString() },
  status: { token: value, expirationTimestamp: new Date(lifetimeSeconds * 1000).toISOString() },
});

const serviceJson = ({ name, namespace, ...spec }: ServiceInfo): object => ({ metadata: { name, namespace }, spec });

const base64 = (data: Readonly<Record<string, Uint8Array>>): object =>
  Object.fromEntries(Object.entries(data).map(([key, bytes]) => [key, Buffer.from(bytes).toString('base64')]));

const credentialJson = (found: ServicesCredential | EmptyServicesSecret): object =>
  'missing' in found
    ? { kind: 'Secret', metadata: { uid: 'empty' }, data: {} }
    : {
        kind: 'Secret',
        metadata: { uid: found.secretUid },
        data: base64({ token: Buffer.from(found.token), 'ca.crt': Buffer.from(found.caPem) }),
      };
