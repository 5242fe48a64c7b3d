import { describe, expect, it } from 'vitest';
import { accessObjects } from '../../../infra/local/cluster/access.ts';
import { bootstrapAccess } from '../../../infra/local/sim/api-server/bootstrap.ts';
import { createObject } from '../../../infra/local/sim/api-server/create.ts';
import { findKind } from '../../../infra/local/sim/api-server/resources.ts';
import { nodeUser, serviceAccountUser, userOf } from '../../../infra/local/sim/api-server/user.ts';
import type { JsonObject } from '../../../shared/core/json.ts';
import { messageOf, nodeManifest, podManifest, testCluster, messageOrOk, valueOf } from './cluster.ts';

const node = nodeUser('aci-1');
const installation = 'serverless-kubelet';
const app = serviceAccountUser(installation, 'app', 'u');
const relay = serviceAccountUser(installation, 'relay', 'u');

/** A cluster to which an installation with one node is attached. */
function attached() {
  const world = testCluster();
  bootstrapAccess(world.state());
  const options = { namespace: installation, nodes: ['aci-1'], appServiceAccount: 'app', relayServiceAccount: 'relay' };
  for (const { apiVersion, kind, metadata, ...rest } of accessObjects(options)) {
    const resource = findKind(apiVersion, kind);
    if (resource === undefined) throw new Error(kind);
    const target = { user: undefined, resource, subresource: '', namespace: metadata.namespace ?? '', name: '' };
    const body: JsonObject = JSON.parse(JSON.stringify({ apiVersion, kind, metadata, ...rest }));
    valueOf(createObject(world.state(), target, body));
  }
  const spec = {
    nodeName: 'aci-1',
    automountServiceAccountToken: false,
    containers: [{ name: 'c', image: 'i', env: [{ name: 'S', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }] }],
    volumes: [{ name: 'm', configMap: { name: 'm' } }],
  };
  valueOf(world.create('pods', podManifest('mine', spec)));
  valueOf(world.create('pods', podManifest('theirs', { nodeName: 'aci-2' })));
  return world;
}

describe('the Node authorizer answers as measured on 1.36', () => {
  const related = "no relationship found between node 'aci-1' and this object";
  it.each<[string, string, string, string?]>([
    ['get', 'nodes - aci-1', 'yes'],
    ['get', 'nodes - aci-2', "node 'aci-1' cannot read 'aci-2', only its own Node object"],
    ['get', 'nodes/status - aci-1', 'cannot get'],
    ['patch', 'nodes/status - aci-1', 'yes'],
    ['create', 'nodes - ', 'yes'],
    ['delete', 'nodes - aci-1', 'cannot delete'],
    ['list', 'nodes - ', 'only its own Node object'],
    ['get', 'leases kube-node-lease aci-1', 'yes'],
    ['update', 'leases kube-node-lease aci-1', 'yes'],
    ['update', 'leases kube-node-lease aci-2', 'same name as the requesting node'],
    ['get', 'leases default aci-1', 'kube-node-lease'],
    ['list', 'pods - ', 'can only list/watch pods with spec.nodeName field selector'],
    ['list', 'pods - ', 'yes', 'spec.nodeName=aci-1'],
    ['list', 'pods default ', 'yes', 'spec.nodeName=aci-1,metadata.name=nothing'],
    ['watch', 'pods - ', 'yes', 'spec.nodeName=aci-1'],
    ['watch', 'pods - ', 'can only list/watch', 'spec.nodeName=aci-2'],
    ['list', 'pods - ', 'can only list/watch', 'spec.nodeName!=aci-1'],
    ['get', 'pods default mine', 'yes'],
    ['get', 'pods default theirs', related],
    ['get', 'pods default nothing', related],
    ['get', 'secrets default s', 'yes'],
    ['get', 'secrets default other', related],
    ['get', 'secrets kube-system s', related],
    ['list', 'secrets default ', related],
    ['list', 'secrets default ', 'yes', 'metadata.name=s'],
    ['update', 'secrets default s', 'can only read resources of this type'],
    ['get', 'configmaps default m', 'yes'],
    ['get', 'configmaps default other', related],
    ['list', 'services default ', 'yes'],
    ['create', 'events default ', 'yes'],
    ['create', 'tokenreviews - ', 'yes'],
    ['create', 'serviceaccounts/token default default', 'yes'],
    ['create', 'serviceaccounts/token default other', related],
    ['get', 'namespaces kube-system kube-system', 'cannot get'],
    ['update', 'pods default mine', 'cannot update'],
  ])('%s %s: %s', (verb, path, answer, fields = '') => {
    expect(attached().may(node, verb, path, fields)).toContain(answer);
  });

  it('needs the group, not only the name', () => {
    expect(attached().may(userOf('system:node:aci-1', []), 'get', 'nodes - aci-1')).toContain('cannot get');
  });
});

describe('NodeRestriction', () => {
  it.each([
    ['its own Node', nodeManifest('aci-1'), 'ok', ''],
    ['another Node', nodeManifest('aci-2'), '403 Forbidden', 'is not allowed to modify node "aci-2"'],
    [
      'a role',
      nodeManifest('aci-1', { metadata: { name: 'aci-1', labels: { 'node-role.kubernetes.io/agent': '' } } }),
      '403 Forbidden',
      'is not allowed to modify labels',
    ],
  ])('creating %s: %#', (_, body, reported, message) => {
    const made = testCluster().create('nodes', body, node);
    expect(messageOrOk(made)).toBe(reported);
    expect(messageOf(made)).toContain(message);
  });

  it('lets a node delete its own pods only, and look at no labels', () => {
    const world = attached();
    expect(messageOf(world.delete('pods', 'theirs', {}, node))).toContain('can only delete pods with spec.nodeName');
    expect(messageOrOk(world.delete('pods', 'mine', { gracePeriodSeconds: 0 }, node))).toBe('ok');
  });
});

describe('the installation’s accounts', () => {
  it.each<[string, string, string, string]>([
    ['app', 'impersonate', 'users - system:node:aci-1', 'yes'],
    ['app', 'impersonate', 'groups - system:nodes', 'yes'],
    ['app', 'impersonate', 'users - system:node:aci-2', 'cannot impersonate'],
    ['app', 'impersonate', 'groups - system:masters', 'cannot impersonate'],
    ['app', 'get', 'namespaces kube-system kube-system', 'yes'],
    ['app', 'get', 'namespaces default default', 'cannot get'],
    ['app', 'patch', 'nodes - aci-1', 'yes'],
    ['app', 'delete', 'nodes - aci-2', 'cannot delete'],
    ['app', 'list', 'secrets - ', 'cannot list'],
    ['app', 'list', 'pods - ', 'cannot list'],
    ['relay', 'watch', 'pods - ', 'yes'],
    ['relay', 'get', 'secrets default s', 'cannot get'],
    ['relay', 'patch', 'leases kube-node-lease aci-1', 'yes'],
    ['relay', 'patch', 'leases kube-node-lease aci-2', 'cannot patch'],
    ['relay', 'create', 'tokenreviews - ', 'yes'],
  ])('%s: %s %s: %s', (who, verb, path, answer) => {
    expect(attached().may(who === 'app' ? app : relay, verb, path)).toContain(answer);
  });
});
