/** Rules 4, 11 and 13 of docs/architecture.md with the installation's own credentials on a real API server, request by request. */
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApiClient } from '../../infra/local/cluster/api-client.ts';
import type { ApiAnswer, ApiClient, ApiRequest } from '../../infra/local/cluster/api-client.ts';
import { attachNodes, detachNodes, requestToken } from '../../infra/local/cluster/attach.ts';
import type { Attachment } from '../../infra/local/cluster/attach.ts';
import { ensureControlPlane } from '../../infra/local/cluster/build.ts';
import { startControlPlane } from '../../infra/local/cluster/control-plane.ts';
import type { ControlPlane } from '../../infra/local/cluster/control-plane.ts';
import { startForwarder } from '../../infra/local/cluster/forwarder.ts';
import { kubectl, kubectlOutput } from '../../infra/local/cluster/kubectl.ts';
import { createProgress } from '../../infra/cli/progress.ts';

const node = 'aci-1';
const otherNode = 'aci-2';
const taint = { key: 'virtual-kubelet.io/provider', value: 'azure', effect: 'NoSchedule' };
const forwarderAddress = '127.0.0.9';

let dir = '';
let cluster: ControlPlane;
let attached: Attachment;
let app: ApiClient;
let relay: ApiClient;
let createdNode: ApiAnswer;

const as = (user: string, group = 'system:nodes') => ({ 'Impersonate-User': user, 'Impersonate-Group': group });
const asNode = as(`system:node:${node}`);
const mergePatch = { 'content-type': 'application/merge-patch+json' };
const strategicPatch = { 'content-type': 'application/strategic-merge-patch+json' };
const nodeLabels = {
  type: 'virtual-kubelet',
  'kubernetes.azure.com/managed': 'false',
  'node.kubernetes.io/exclude-from-external-load-balancers': 'true',
  'topology.kubernetes.io/region': 'westeurope',
  'topology.kubernetes.io/zone': 'westeurope-1',
  'node.kubernetes.io/instance-type': 'aci',
};
const lease = (renewTime: string) => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name: node, namespace: 'kube-node-lease' },
  spec: { holderIdentity: node, leaseDurationSeconds: 40, renewTime },
});

async function apply(...items: object[]): Promise<void> {
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  await kubectlOutput(['apply', '--server-side', '-f', '-'], { ...cluster.kubectl, input });
}

const secret = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'default' },
  stringData: { value: `planted-${name}` },
});
const pod = (name: string, nodeName: string, secretName: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default' },
  spec: {
    nodeName,
    tolerations: [{ operator: 'Exists' }],
    containers: [
      {
        name: 'main',
        image: 'busybox',
        env: [{ name: 'VALUE', valueFrom: { secretKeyRef: { name: secretName, key: 'value' } } }],
      },
    ],
  },
});

/** The authorizer's graph follows the pods a moment later: a refusal right after a change is asked again. */
async function eventually(client: ApiClient, call: ApiRequest, status: number): Promise<ApiAnswer> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    const answer = await client.send(call);
    if (answer.status === status || performance.now() > deadline) return answer;
    await sleep(100);
  }
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'control-plane-'));
  const progress = createProgress();
  const binaries = await ensureControlPlane({ progress });
  cluster = await startControlPlane({ stateDir: dir, binaries, progress, extraSans: [forwarderAddress] });
  attached = await attachNodes({ kubectl: cluster.kubectl, nodes: [node] });
  app = createApiClient(attached.endpoint, { token: attached.appToken });
  relay = createApiClient(attached.endpoint, { token: attached.relayToken });
  createdNode = await app.send({
    method: 'POST',
    path: '/api/v1/nodes',
    headers: asNode,
    body: { apiVersion: 'v1', kind: 'Node', metadata: { name: node, labels: nodeLabels }, spec: { taints: [taint] } },
  });
  await apply(
    { apiVersion: 'v1', kind: 'Node', metadata: { name: otherNode } },
    secret('mine'),
    secret('theirs'),
    secret('unused'),
  );
  await apply(pod('own', node, 'mine'), pod('foreign', otherNode, 'theirs'));
  await eventually(app, { path: '/api/v1/namespaces/default/pods/own', headers: asNode }, 200);
});

afterAll(async () => {
  app?.close();
  relay?.close();
  await cluster?.stop();
  rmSync(dir, { recursive: true, force: true });
});

const secretPath = (name: string): string => `/api/v1/namespaces/default/secrets/${name}`;
const nodePath = `/api/v1/nodes/${node}`;
const ownPods = `fieldSelector=spec.nodeName%3D${node}`;

describe("the app's own account, not impersonating", () => {
  const refused: [string, ApiRequest][] = [
    ['list secrets of a namespace', { path: '/api/v1/namespaces/default/secrets' }],
    ['list secrets of all namespaces', { path: '/api/v1/secrets' }],
    ["read its own pod's secret", { path: secretPath('mine') }],
    ['list nodes', { path: '/api/v1/nodes' }],
    ['read another node', { path: `/api/v1/nodes/${otherNode}` }],
    ['delete another node', { method: 'DELETE', path: `/api/v1/nodes/${otherNode}` }],
    ['list pods', { path: '/api/v1/pods' }],
    ['read another namespace', { path: '/api/v1/namespaces/default' }],
    ['impersonate another node', { path: '/api/v1/services', headers: as(`system:node:${otherNode}`) }],
    [
      'impersonate the group system:masters',
      { path: secretPath('mine'), headers: as(`system:node:${node}`, 'system:masters') },
    ],
    ['impersonate the administrator', { path: secretPath('mine'), headers: as('kubernetes-admin') }],
    [
      'impersonate a ServiceAccount',
      { path: secretPath('mine'), headers: as('system:serviceaccount:kube-system:default') },
    ],
    [
      'give itself more rights',
      {
        method: 'PATCH',
        path: '/apis/rbac.authorization.k8s.io/v1/clusterroles/serverless-kubelet-app',
        headers: mergePatch,
        body: { rules: [] },
      },
    ],
  ];
  it.each(refused)('may not %s', async (_sentence, call) => {
    expect((await app.send(call)).status).toBe(403);
  });

  const allowed: [string, ApiRequest][] = [
    ['read the cluster identity', { path: '/api/v1/namespaces/kube-system' }],
    ['read its own node', { path: nodePath }],
    [
      'cordon its own node',
      { method: 'PATCH', path: nodePath, headers: mergePatch, body: { spec: { unschedulable: true } } },
    ],
    ['read the keys of ServiceAccount tokens', { path: '/openid/v1/jwks' }],
  ];
  it.each(allowed)('may %s', async (_sentence, call) => {
    expect((await app.send(call)).status).toBe(200);
  });

  it('knows the cluster by the UID of kube-system', async () => {
    const answer = await app.send({ path: '/api/v1/namespaces/kube-system' });
    expect(answer.body).toMatchObject({ metadata: { uid: attached.clusterUid } });
  });
});

describe('the app as its node', () => {
  it('creates it in one request, with its labels and its taint', () => {
    expect(createdNode).toMatchObject({ status: 201, body: { metadata: { labels: nodeLabels } } });
    expect(createdNode.body).toMatchObject({ spec: { taints: expect.arrayContaining([taint]) } });
  });

  const refused: [string, ApiRequest, RegExp][] = [
    ["read another pod's secret", { path: secretPath('theirs') }, /no relationship found/],
    ['read a secret that no pod names', { path: secretPath('unused') }, /no relationship found/],
    [
      'list secrets',
      { path: '/api/v1/namespaces/default/secrets' },
      /can only read resources of this type by name|no relationship found|cannot list/,
    ],
    ['list all pods', { path: '/api/v1/pods' }, /spec\.nodeName/],
    ["list another node's pods", { path: `/api/v1/pods?fieldSelector=spec.nodeName%3D${otherNode}` }, /spec\.nodeName/],
    ["read another node's pod", { path: '/api/v1/namespaces/default/pods/foreign' }, /no relationship found/],
    ['read a pod that is not there', { path: '/api/v1/namespaces/default/pods/absent' }, /no relationship found/],
    ['read another namespace', { path: '/api/v1/namespaces/kube-system' }, /cannot get/],
    ['delete its node', { method: 'DELETE', path: nodePath }, /cannot delete/],
    [
      'create another node',
      { method: 'POST', path: '/api/v1/nodes', body: { metadata: { name: 'aci-3' } } },
      /not allowed to modify node/,
    ],
    [
      'take a role',
      {
        method: 'PATCH',
        path: nodePath,
        headers: mergePatch,
        body: { metadata: { labels: { 'node-role.kubernetes.io/agent': '' } } },
      },
      /not allowed to modify labels/,
    ],
    [
      'change its taints',
      { method: 'PATCH', path: nodePath, headers: mergePatch, body: { spec: { taints: [] } } },
      /not allowed to modify taints/,
    ],
    [
      "renew another node's Lease",
      {
        method: 'PUT',
        path: `/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${otherNode}`,
        body: lease(new Date().toISOString()),
      },
      /can only access node lease with the same name/,
    ],
    [
      "write another node's pod status",
      {
        method: 'PATCH',
        path: '/api/v1/namespaces/default/pods/foreign/status',
        headers: mergePatch,
        body: { status: { phase: 'Failed' } },
      },
      /can only update pod status for pods with spec\.nodeName/,
    ],
    [
      "delete another node's pod",
      { method: 'DELETE', path: '/api/v1/namespaces/default/pods/foreign' },
      /can only delete pods with spec\.nodeName/,
    ],
    [
      'get a token without a pod',
      {
        method: 'POST',
        path: '/api/v1/namespaces/default/serviceaccounts/default/token',
        body: {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenRequest',
          spec: { audiences: [], expirationSeconds: 600 },
        },
      },
      /not bound to a pod/,
    ],
  ];
  it.each(refused)('may not %s', async (_sentence, call, message) => {
    const answer = await app.send({ ...call, headers: { ...asNode, ...call.headers } });
    expect(answer).toMatchObject({ status: 403, body: { message: expect.stringMatching(message) } });
  });

  const renewTime = (): string => new Date().toISOString().replace('Z', '000Z');
  const leases = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';
  const allowed: [number, string, ApiRequest][] = [
    [200, "read its own pod's secret", { path: secretPath('mine') }],
    [200, 'list its own pods', { path: `/api/v1/pods?${ownPods}` }],
    [200, 'list one of its pods by name', { path: `/api/v1/pods?${ownPods}%2Cmetadata.name%3Down` }],
    [200, 'list a pod that is not there, by name', { path: `/api/v1/pods?${ownPods}%2Cmetadata.name%3Dabsent` }],
    [200, 'list services', { path: '/api/v1/services' }],
    [
      200,
      'write its own label',
      { method: 'PATCH', path: nodePath, headers: mergePatch, body: { metadata: { labels: { foo: 'bar' } } } },
    ],
    [
      200,
      'write its node status',
      {
        method: 'PATCH',
        path: `${nodePath}/status`,
        headers: strategicPatch,
        body: {
          status: {
            addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
            conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady' }],
          },
        },
      },
    ],
    [201, 'create its Lease', { method: 'POST', path: leases, body: lease(renewTime()) }],
    [
      200,
      'renew its Lease',
      { method: 'PATCH', path: `${leases}/${node}`, headers: mergePatch, body: { spec: { renewTime: renewTime() } } },
    ],
    [
      200,
      'write the status of its pod',
      {
        method: 'PATCH',
        path: '/api/v1/namespaces/default/pods/own/status',
        headers: strategicPatch,
        body: { status: { phase: 'Running' } },
      },
    ],
    [
      201,
      "create an event in its pod's namespace",
      {
        method: 'POST',
        path: '/api/v1/namespaces/default/events',
        body: {
          metadata: { generateName: 'own.' },
          involvedObject: { kind: 'Pod', namespace: 'default', name: 'own' },
          reason: 'Seen',
          message: 'seen',
          type: 'Normal',
        },
      },
    ],
    [
      201,
      'review a token',
      {
        method: 'POST',
        path: '/apis/authentication.k8s.io/v1/tokenreviews',
        body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: 'none' } },
      },
    ],
  ];
  it.each(allowed)('gets %i when it goes to %s', async (status, _sentence, call) => {
    expect((await app.send({ ...call, headers: { ...asNode, ...call.headers } })).status).toBe(status);
  });

  it('gets a token bound to its own pod, and deletes its own pod', async () => {
    const read = await app.send({ path: '/api/v1/namespaces/default/pods/own', headers: asNode });
    const { uid } = (read.body as { metadata: { uid: string } }).metadata;
    const bound = await app.send({
      method: 'POST',
      path: '/api/v1/namespaces/default/serviceaccounts/default/token',
      headers: asNode,
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { expirationSeconds: 3607, boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'own', uid } },
      },
    });
    expect(bound.status).toBe(201);
    const deleted = await app.send({
      method: 'DELETE',
      path: '/api/v1/namespaces/default/pods/own',
      headers: asNode,
      body: { gracePeriodSeconds: 0, preconditions: { uid } },
    });
    expect(deleted.status).toBe(200);
    expect((await kubectl(['get', 'pod', 'own'], cluster.kubectl)).stderr).toContain('NotFound');
    expect(await eventually(app, { path: secretPath('mine'), headers: asNode }, 403)).toMatchObject({ status: 403 });
  });
});

describe("the relay's account", () => {
  const refused: [string, ApiRequest][] = [
    ['read a secret', { path: secretPath('mine') }],
    ['list secrets', { path: '/api/v1/secrets' }],
    ['read a secret of its own namespace', { path: '/api/v1/namespaces/serverless-kubelet/secrets/any' }],
    ['read a ConfigMap', { path: '/api/v1/namespaces/default/configmaps/kube-root-ca.crt' }],
    ['impersonate the node', { path: secretPath('mine'), headers: asNode }],
    ['read another node', { path: `/api/v1/nodes/${otherNode}` }],
    ['list all nodes', { path: '/api/v1/nodes' }],
    ['write its node', { method: 'PATCH', path: nodePath, headers: mergePatch, body: {} }],
    ['delete a pod', { method: 'DELETE', path: '/api/v1/namespaces/default/pods/foreign' }],
    [
      'read the Lease of another node',
      { path: `/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${otherNode}` },
    ],
    [
      'create a Lease',
      {
        method: 'POST',
        path: '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases',
        body: lease(new Date().toISOString()),
      },
    ],
    [
      'ask for a token',
      { method: 'POST', path: '/api/v1/namespaces/serverless-kubelet/serviceaccounts/app/token', body: {} },
    ],
  ];
  it.each(refused)('may not %s', async (_sentence, call) => {
    expect((await relay.send(call)).status).toBe(403);
  });

  const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: 'none' } };
  const access = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      user: 'kube-apiserver-kubelet-client',
      resourceAttributes: { verb: 'get', resource: 'nodes', subresource: 'proxy', name: node },
    },
  };
  const allowed: [number, string, ApiRequest][] = [
    [200, "list its nodes' pods", { path: `/api/v1/pods?${ownPods}` }],
    [200, 'read its node', { path: nodePath }],
    [200, 'list its node by name', { path: `/api/v1/nodes?fieldSelector=metadata.name%3D${node}` }],
    [
      200,
      "renew its node's Lease",
      {
        method: 'PATCH',
        path: `/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${node}`,
        headers: mergePatch,
        body: { spec: { leaseDurationSeconds: 40 } },
      },
    ],
    [201, 'review a token', { method: 'POST', path: '/apis/authentication.k8s.io/v1/tokenreviews', body: review }],
    [
      201,
      "review the API server's right to its kubelet port",
      { method: 'POST', path: '/apis/authorization.k8s.io/v1/subjectaccessreviews', body: access },
    ],
  ];
  it.each(allowed)('gets %i when it goes to %s', async (status, _sentence, call) => {
    expect((await relay.send(call)).status).toBe(status);
  });

  it('learns that the API server may call kubelets, and that nobody else may', async () => {
    const asked = async (user: string) =>
      (
        await relay.send({
          method: 'POST',
          path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
          body: { ...access, spec: { ...access.spec, user } },
        })
      ).body;
    expect(await asked('kube-apiserver-kubelet-client')).toMatchObject({ status: { allowed: true } });
    expect(await asked('somebody')).toMatchObject({ status: { allowed: false } });
  });

  it('gets a token for the app alone, which the API server does not take', async () => {
    const { token, expiresAt } = await requestToken({
      kubectl: cluster.kubectl,
      namespace: attached.namespace,
      serviceAccount: attached.relayServiceAccount,
      audience: 'https://app.example',
      durationSeconds: 3600,
    });
    expect(expiresAt.getTime() - Date.now()).toBeGreaterThan(3_500_000);
    const stranger = createApiClient(attached.endpoint, { token });
    expect((await stranger.send({ path: nodePath })).status).toBe(401);
    stranger.close();
    const spec = { token, audiences: ['https://app.example'] };
    const reviewed = await app.send({
      method: 'POST',
      path: '/apis/authentication.k8s.io/v1/tokenreviews',
      headers: asNode,
      body: { ...review, spec },
    });
    expect(reviewed.body).toMatchObject({
      status: { authenticated: true, user: { username: 'system:serviceaccount:serverless-kubelet:relay' } },
    });
  });
});

describe('the control plane', () => {
  it('answers nobody who shows no credential', async () => {
    const nobody = createApiClient(attached.endpoint, {});
    expect((await nobody.send({ path: '/api/v1/pods' })).status).toBe(401);
    nobody.close();
  });

  it('calls itself by its release, as kubectl does', async () => {
    const version = await kubectlOutput(['version'], cluster.kubectl);
    expect(version).toContain(`Client Version: ${cluster.version}`);
    expect(version).toContain(`Server Version: ${cluster.version}`);
  });

  it('is reached through the forwarder under the address that its certificate names', async () => {
    const forwarder = await startForwarder({ listenAddress: forwarderAddress, port: 0, targetPort: cluster.port });
    const through = createApiClient(
      { url: `https://${forwarderAddress}:${forwarder.port}`, caPem: cluster.caPem },
      { token: attached.appToken },
    );
    expect((await through.send({ path: nodePath })).status).toBe(200);
    through.close();
    await forwarder.close();
  });

  it('has the API server back on the same port after a kill, with all it knew', async () => {
    await cluster.restartApiServer();
    expect((await app.send({ path: nodePath })).status).toBe(200);
  });

  it('forgets nothing and keeps its address from start to start; attaching again changes no identity', async () => {
    const { url, caPem } = cluster;
    await cluster.stop();
    await expect(app.send({ path: nodePath })).rejects.toThrow('ECONNREFUSED');
    cluster = await startControlPlane({
      stateDir: dir,
      binaries: await ensureControlPlane({ progress: createProgress() }),
    });
    expect({ url: cluster.url, caPem: cluster.caPem }).toEqual({ url, caPem });
    const again = await attachNodes({ kubectl: cluster.kubectl, nodes: [node] });
    expect(again.clusterUid).toBe(attached.clusterUid);
    expect((await app.send({ path: nodePath })).status).toBe(200);
    await expect(connectTo(forwarderAddress)).rejects.toThrow('ECONNREFUSED');
  });

  it('takes the rights away on detaching: the tokens are worth nothing', async () => {
    await detachNodes({ kubectl: cluster.kubectl, nodes: [node] });
    expect(await eventually(app, { path: nodePath }, 401)).toMatchObject({ status: 401 });
    expect((await kubectl(['get', 'clusterrole', '-o', 'name'], cluster.kubectl)).stdout).not.toContain(
      'serverless-kubelet',
    );
    await detachNodes({ kubectl: cluster.kubectl, nodes: [node] });
  });
});

/** The API server listens on 127.0.0.1 only: not on another address of this machine. */
function connectTo(host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host, port: cluster.port, rejectUnauthorized: false }, () => resolve());
    outgoing.once('error', reject);
    outgoing.end();
  });
}
