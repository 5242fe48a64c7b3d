import { createPrivateKey, sign } from 'node:crypto';
import type { ApiAnswer, ApiClient, ApiRequest } from '../../../infra/local/cluster/api-client.ts';
import type { JsonObject } from '../../../shared/core/json.ts';
import type { Pod } from '../../../shared/core/kubernetes/pod.ts';
import { parseNode } from '../../../shared/wire/kubernetes/node.ts';
import { parsePod } from '../../../shared/wire/pod.ts';
import { eventually, namespace } from './harness.ts';
import type { ClusterHands, PodWanted, SeenEvent } from './harness.ts';
import { defined } from '../../../shared/core/defined.ts';

export interface HttpHandsOptions {
  /** The administrator's. */
  readonly admin: ApiClient;
  /** Whose tokens `relayToken` gives. */
  readonly relay: { readonly namespace: string; readonly serviceAccount: string };
  /** An expired token with the claims of this one. */
  readonly expire: (token: string) => string;
}

interface EventJson extends SeenEvent {
  readonly metadata: { readonly name: string; readonly namespace: string };
}

const pods = `/api/v1/namespaces/${namespace}/pods`;
const core = `/api/v1/namespaces/${namespace}`;
const mergePatch = { 'content-type': 'application/merge-patch+json' };
const strategicPatch = { 'content-type': 'application/strategic-merge-patch+json' };

/** The hands over HTTP, with requests as kubectl and the controllers send them. */
export function createHttpHands({ admin, relay, expire }: HttpHandsOptions): ClusterHands {
  const must = async (request: ApiRequest, ...also: number[]): Promise<ApiAnswer> => {
    const answer = await admin.send(request);
    if (answer.status < 300 || also.includes(answer.status)) return answer;
    throw new Error(`${request.method ?? 'GET'} ${request.path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  };
  const create = (path: string, body: object): Promise<ApiAnswer> => must({ method: 'POST', path, body });
  const patch = (path: string, body: object, headers = mergePatch): Promise<ApiAnswer> =>
    must({ method: 'PATCH', path, body, headers });
  const typed = <T>(parse: (json: unknown) => T | undefined, json: unknown): T => {
    const value = parse(json);
    if (value === undefined) throw new Error(`not what the API promises: ${JSON.stringify(json)}`);
    return value;
  };
  const read = async <T>(path: string, parse: (json: unknown) => T | undefined): Promise<T | undefined> => {
    const answer = await must({ path }, 404);
    return answer.status === 404 ? undefined : typed(parse, answer.body);
  };
  const listEvents = async (uid: string): Promise<readonly EventJson[]> => {
    const answer = await must({ path: `/api/v1/events?fieldSelector=involvedObject.uid%3D${uid}` });
    return (answer.body as { items: EventJson[] }).items;
  };
  return {
    createPod: async (wanted): Promise<Pod> => typed(parsePod, (await create(pods, podManifest(wanted))).body),
    bindPod: async (name, nodeName) => {
      const target = { apiVersion: 'v1', kind: 'Node', name: nodeName };
      await create(`${pods}/${name}/binding`, { apiVersion: 'v1', kind: 'Binding', metadata: { name }, target });
    },
    getPod: (name) => read(`${pods}/${name}`, parsePod),
    deletePod: async (name, { uid, ...options } = {}) => {
      const preconditions = uid === undefined ? {} : { preconditions: { uid } };
      const body = { apiVersion: 'v1', kind: 'DeleteOptions', ...options, ...preconditions };
      await must({ method: 'DELETE', path: `${pods}/${name}`, body }, 404, 409);
    },
    setPodCondition: async (name, condition) =>
      void (await patch(`${pods}/${name}/status`, { status: { conditions: [condition] } }, strategicPatch)),
    annotatePod: async (name, annotations) => void (await patch(`${pods}/${name}`, { metadata: { annotations } })),
    setImage: async (name, image) =>
      void (await patch(`${pods}/${name}`, { spec: { containers: [{ name: 'c', image }] } }, strategicPatch)),
    removeFinalizers: async (name) => void (await patch(`${pods}/${name}`, { metadata: { finalizers: null } })),
    putSecret: async (name, stringData) =>
      void (await create(`${core}/secrets`, { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData })),
    putConfigMap: async (name, data) =>
      void (await create(`${core}/configmaps`, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data })),
    putServiceAccount: async (name) =>
      void (await create(`${core}/serviceaccounts`, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } })),
    putService: async (name, kind) => {
      const spec = { ports: [{ name: 'http', port: 80 }], ...(kind === 'headless' ? { clusterIP: 'None' } : {}) };
      await create(`${core}/services`, { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec });
    },
    createNode: async (name) =>
      void (await create('/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name } })),
    getNode: (name) => read(`/api/v1/nodes/${name}`, parseNode),
    deleteNode: async (name) => void (await must({ method: 'DELETE', path: `/api/v1/nodes/${name}` }, 404)),
    setNodeCondition: async (name, condition) =>
      void (await patch(`/api/v1/nodes/${name}/status`, { status: { conditions: [condition] } }, strategicPatch)),
    events: async (uid) =>
      (await listEvents(uid)).map(({ reason, message, count, lastTimestamp }) => ({
        reason,
        message,
        count,
        lastTimestamp,
      })),
    dropEvents: async (uid) => {
      for (const { metadata } of await listEvents(uid))
        await must({ method: 'DELETE', path: `/api/v1/namespaces/${metadata.namespace}/events/${metadata.name}` });
    },
    relayToken: async (audience, { expired } = { expired: false }) => {
      const path = `/api/v1/namespaces/${relay.namespace}/serviceaccounts/${relay.serviceAccount}/token`;
      const spec = { audiences: [audience], expirationSeconds: 600 };
      const answer = await create(path, { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec });
      const { token } = (answer.body as { status: { token: string } }).status;
      return expired ? expire(token) : token;
    },
  };
}

/** The API server's ServiceAccount admission needs the account of the namespace, which a new cluster makes in a moment. */
export async function waitForDefaultAccount(admin: ApiClient): Promise<void> {
  const look = (): Promise<ApiAnswer> => admin.send({ path: `${core}/serviceaccounts/default` });
  await eventually(look, ({ status }) => status === 200);
}

export function podManifest({ name, nodeName, spec, finalizers }: PodWanted): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, ...defined({ finalizers }) },
    spec: {
      containers: [{ name: 'c', image: 'busybox' }],
      tolerations: [{ operator: 'Exists' }],
      // Nobody schedules what is to stay unbound.
      ...(nodeName === undefined ? { schedulerName: 'nobody' } : { nodeName }),
      ...spec,
    },
  };
}

/** The same claims, an hour older, under the signature of the cluster whose key this is. */
export function expiredToken(token: string, keyPem: string): string {
  const [header = '', payload = ''] = token.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
  for (const claim of ['exp', 'iat', 'nbf']) claims[claim] -= 3600;
  const signed = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
  const { alg } = JSON.parse(Buffer.from(header, 'base64url').toString('utf8'));
  const key = createPrivateKey(keyPem);
  const signature = sign('sha256', Buffer.from(signed), alg === 'ES256' ? { key, dsaEncoding: 'ieee-p1363' } : key);
  return `${signed}.${signature.toString('base64url')}`;
}
