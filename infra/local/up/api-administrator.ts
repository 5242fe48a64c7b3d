import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { nodeLeasePath } from '../../cli/cluster/objects.ts';
import { parseTokenRequest } from '../../../shared/wire/kubernetes/token.ts';
import { createApiClient } from '../cluster/api-client.ts';
import type { ApiAnswer, ApiRequest } from '../cluster/api-client.ts';
import { attachThrough, tokenExpiry } from '../cluster/attach.ts';
import type { TokenWanted } from '../cluster/attach.ts';
import { parseOwnKubeconfig } from '../cluster/kubeconfig.ts';
import type { Administrator, Question, Sighting } from './administrator.ts';

const fieldManager = 'serverless-kubelet';
const pollMs = 200;
const removalMs = 60_000;
const pods = '/api/v1/namespaces/default/pods';

const objectSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});
type KubeObject = z.infer<typeof objectSchema>;

const namespaceSchema = z.object({ metadata: z.object({ uid: z.uuid() }) });
const nodeSchema = z.object({
  status: z.object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]) }),
});
const endSchema = z.object({ reason: z.string().default(''), exitCode: z.number() });
const podSchema = z.object({
  metadata: z.object({ name: z.string(), uid: z.string() }),
  spec: z.object({ nodeName: z.string().default('') }),
  status: z.object({
    phase: z.string().default(''),
    startTime: z.string().default(''),
    containerStatuses: z.array(z.object({ state: z.object({ terminated: endSchema.optional() }) })).default([]),
  }),
});
const listSchema = z.object({ items: z.array(podSchema) });

/** What is left in a cluster of one node. */
export interface NodeRemains {
  readonly pods: number;
  readonly node: boolean;
  readonly lease: boolean;
}

export interface ApiAdministrator extends Administrator {
  findRemains(node: string): Promise<NodeRemains>;
}

/** {@link Administrator} without kubectl: the few requests that it would send, as whom a kubeconfig of our own names. */
export function apiAdministrator(kubeconfig: string): ApiAdministrator {
  const { endpoint, credential } = parseOwnKubeconfig(kubeconfig);
  const api = createApiClient(endpoint, credential);
  const send = async (request: ApiRequest): Promise<ApiAnswer> => {
    const answer = await api.send({ timeoutMs: 30_000, ...request });
    if (answer.status < 300 || answer.status === 404) return answer;
    throw new Error(`${request.method ?? 'GET'} ${request.path} answered ${answer.status}: ${textOf(answer.body)}`);
  };
  const apply = async (object: KubeObject): Promise<void> => {
    const path = `${pathOf(object)}?fieldManager=${fieldManager}&force=true`;
    const headers = { 'content-type': 'application/apply-patch+yaml' };
    const answer = await send({ method: 'PATCH', path, body: object, headers });
    if (answer.status === 404) throw new Error(`${path}: ${textOf(answer.body)}`);
  };
  const requestToken = async (wanted: TokenWanted) => {
    const path = `/api/v1/namespaces/${wanted.namespace}/serviceaccounts/${wanted.serviceAccount}/token`;
    const audiences = wanted.audience === undefined ? {} : { audiences: [wanted.audience] };
    const spec = { ...audiences, expirationSeconds: wanted.durationSeconds };
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec };
    const token = parseTokenRequest((await send({ method: 'POST', path, body })).body)?.value ?? '';
    return { token, expiresAt: tokenExpiry(token) };
  };
  return {
    attach: (nodes, options) =>
      attachThrough(
        {
          apply: async (objects) => {
            for (const object of objects) await apply(objectSchema.parse(object));
          },
          requestToken,
          readClusterUid: async () =>
            namespaceSchema.parse((await send({ path: '/api/v1/namespaces/kube-system' })).body).metadata.uid,
          readEndpoint: async () => endpoint,
        },
        { nodes, ...options },
      ),
    requestToken,
    readReady: async (node) => {
      const answer = await send({ path: `/api/v1/nodes/${node}` });
      const conditions = answer.status === 404 ? [] : nodeSchema.parse(answer.body).status.conditions;
      return conditions.find(({ type }) => type === 'Ready')?.status ?? '';
    },
    apply: async (files) => {
      for (const object of await readManifests(files)) await apply(object);
    },
    remove: async (files) => {
      const paths = (await readManifests(files)).map(pathOf);
      for (const path of paths) await send({ method: 'DELETE', path });
      const giveUpAt = Date.now() + removalMs;
      for (const path of paths)
        while ((await send({ path })).status !== 404 && Date.now() < giveUpAt) await sleep(pollMs);
    },
    ask: async (question) => {
      try {
        return await answerTo(question, send);
      } catch (error) {
        return error instanceof Error ? error.message : String(error);
      }
    },
    watchPods: (see) => watchPods(send, see),
    findRemains: async (node) => {
      const bound = await send({ path: `/api/v1/pods?fieldSelector=spec.nodeName%3D${node}` });
      return {
        pods: listSchema.parse(bound.body).items.length,
        node: (await send({ path: `/api/v1/nodes/${node}` })).status !== 404,
        lease: (await send({ path: nodeLeasePath(node) })).status !== 404,
      };
    },
    close: () => api.close(),
  };
}

type Send = (request: ApiRequest) => Promise<ApiAnswer>;

async function answerTo(question: Question, send: Send): Promise<string> {
  switch (question.kind) {
    case 'pod': {
      const { body, status } = await send({ path: `${pods}/${question.name}` });
      if (status === 404) return 'not found';
      const pod = podSchema.parse(body).status;
      const end = pod.containerStatuses[0]?.state.terminated;
      return `${pod.phase}/${end?.reason ?? ''}/${end?.exitCode ?? ''}`;
    }
    case 'log':
      return textOf((await send({ path: `${pods}/${question.pod}/log` })).body);
    case 'kubectl':
      throw new Error('there is no kubectl here');
  }
}

/** A list every so often: what is seen is at most that old. */
function watchPods(send: Send, see: (pod: Omit<Sighting, 'at'>) => void): () => void {
  const stopped = new AbortController();
  const run = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      const { items } = listSchema.parse((await send({ path: pods })).body);
      for (const { metadata, spec, status } of items)
        see({ ...metadata, isBound: spec.nodeName !== '', isAccepted: status.startTime !== '', phase: status.phase });
      await sleep(pollMs, undefined, { signal: stopped.signal });
    }
  };
  // A watcher that ends early only shows less; whoever waits for a pod says what is wrong.
  run().catch(() => undefined);
  return () => stopped.abort();
}

async function readManifests(files: readonly string[]): Promise<readonly KubeObject[]> {
  const { loadAllYaml } = await import('@kubernetes/client-node');
  return files.flatMap((file) => z.array(objectSchema).parse(loadAllYaml(readFileSync(file, 'utf8'))));
}

/** The kinds of manifests and of an installation's access, by the collection they are in. */
const collections: Readonly<Record<string, { readonly path: string; readonly namespaced: boolean }>> = {
  Namespace: { path: 'namespaces', namespaced: false },
  ClusterRole: { path: 'clusterroles', namespaced: false },
  ClusterRoleBinding: { path: 'clusterrolebindings', namespaced: false },
  Role: { path: 'roles', namespaced: true },
  RoleBinding: { path: 'rolebindings', namespaced: true },
  ServiceAccount: { path: 'serviceaccounts', namespaced: true },
  Pod: { path: 'pods', namespaced: true },
};

function pathOf({ apiVersion, kind, metadata }: KubeObject): string {
  const collection = collections[kind];
  if (collection === undefined) throw new Error(`a ${kind} is not known here; kubectl would know it`);
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const scope = collection.namespaced ? `/namespaces/${metadata.namespace ?? 'default'}` : '';
  return `${root}${scope}/${collection.path}/${metadata.name}`;
}

const textOf = (body: unknown): string => (typeof body === 'string' ? body : JSON.stringify(body));
