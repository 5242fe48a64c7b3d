/** Rule 11 of docs/architecture.md with the running installation's own tokens; `control-plane.test.ts` has the long lists. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApiClient } from '../../../infra/local/cluster/api-client.ts';
import type { ApiClient, ApiRequest } from '../../../infra/local/cluster/api-client.ts';
import { readEndpoint } from '../../../infra/local/cluster/attach.ts';
import { appToken, apply, createNamespace, dir, pod, record, removeNamespace, until } from './cloud.ts';
import { core } from './oracles.ts';

const namespace = 'bounds';
const node = record.nodes[0] ?? '';
const otherNode = 'somebody-else';
const secretPath = (name: string): string => `/api/v1/namespaces/${namespace}/secrets/${name}`;
const leasePath = (name: string): string => `/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${name}`;
const as = (user: string, group: string) => ({ 'Impersonate-User': user, 'Impersonate-Group': group });
const asNode = as(`system:node:${node}`, 'system:nodes');

let app: ApiClient;
let relay: ApiClient;

beforeAll(async () => {
  const endpoint = await readEndpoint(record.kubeconfig);
  app = createApiClient(endpoint, { token: appToken() });
  relay = createApiClient(endpoint, { token: readFileSync(join(dir, 'relay', 'api-server-token'), 'utf8').trim() });
  await createNamespace(namespace);
  const secret = (name: string) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace },
    stringData: { key: `value-of-${name}` },
  });
  const reads = (name: string) => ({ env: [{ name: 'KEY', valueFrom: { secretKeyRef: { name, key: 'key' } } }] });
  await apply(
    secret('mine'),
    secret('theirs'),
    secret('unused'),
    { apiVersion: 'v1', kind: 'Node', metadata: { name: otherNode } },
    pod('own', { namespace, container: reads('mine') }),
    pod('foreign', { namespace, container: reads('theirs'), spec: { nodeName: otherNode, nodeSelector: {} } }),
  );
  // The control of the experiment: what the app may read, it reads.
  await until(
    "the app reads its own pod's secret",
    async () => (await app.send({ path: secretPath('mine'), headers: asNode })).status,
    (status) => status === 200,
  );
});

afterAll(async () => {
  app.close();
  relay.close();
  await core.deleteNamespacedPod({ namespace, name: 'foreign', gracePeriodSeconds: 0 });
  await core.deleteNode({ name: otherNode });
  await removeNamespace(namespace);
});

describe("with the running app's credential", () => {
  const refused: [string, ApiRequest][] = [
    ["another pod's secret, as its node", { path: secretPath('theirs'), headers: asNode }],
    ['a secret that no pod names, as its node', { path: secretPath('unused'), headers: asNode }],
    ['all secrets, as its node', { path: '/api/v1/secrets', headers: asNode }],
    ["its own pod's secret, not as its node", { path: secretPath('mine') }],
    ['another node, as itself', { path: `/api/v1/nodes/${otherNode}` }],
    ['acting as another node', { path: secretPath('theirs'), headers: as(`system:node:${otherNode}`, 'system:nodes') }],
    ["another node's status", nodeStatus(otherNode)],
    ["another node's Lease, as its node", { path: leasePath(otherNode), headers: asNode }],
    ["another node's pods", { path: `/api/v1/pods?fieldSelector=spec.nodeName%3D${otherNode}`, headers: asNode }],
    ['the group system:masters', { path: secretPath('mine'), headers: as(`system:node:${node}`, 'system:masters') }],
    ['system:masters under any name', { path: '/api/v1/nodes', headers: as('admin', 'system:masters') }],
  ];
  it.each(refused)('%s: 403', async (_sentence, call) => {
    expect((await app.send(call)).status).toBe(403);
  });
});

describe("with the running relay's credential", () => {
  const refused: [string, ApiRequest][] = [
    ["a pod's secret", { path: secretPath('mine') }],
    ['all secrets', { path: '/api/v1/secrets' }],
    ['the secrets of its namespace', { path: '/api/v1/namespaces/serverless-kubelet/secrets' }],
    ['acting as the node', { path: secretPath('mine'), headers: asNode }],
    ['the group system:masters', { path: secretPath('mine'), headers: as('relay', 'system:masters') }],
    ["another node's Lease", { path: leasePath(otherNode) }],
  ];
  it.each(refused)('%s: 403', async (_sentence, call) => {
    expect((await relay.send(call)).status).toBe(403);
  });
});

function nodeStatus(name: string): ApiRequest {
  return {
    method: 'PATCH',
    path: `/api/v1/nodes/${name}/status`,
    headers: { ...asNode, 'content-type': 'application/merge-patch+json' },
    body: { status: { phase: 'Running' } },
  };
}
