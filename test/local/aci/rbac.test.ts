import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { answerAdmin } from '../../../infra/local/aci/admin.ts';
import { createCore } from '../../../infra/local/aci/core.ts';
import { defaultPrincipal } from '../../../infra/local/aci/rbac.ts';
import { createBench, groupBody, groupsPath, subscription } from './harness.ts';

const subnet = `/subscriptions/${subscription}/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/v/subnets/s`;
const identity = `/subscriptions/${subscription}/resourceGroups/team/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i`;
const app = defaultPrincipal({ subscription, resourceGroups: ['rg'], subnets: [subnet], identities: [identity] });
const actionsOf = (role: string): unknown => {
  const file = new URL(`../../../infra/azure/roles/${role}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')).actions;
};

describe('the app’s identity', () => {
  it('has the deployed roles at the deployed scopes', () => {
    expect(app.assignments).toEqual([
      { actions: actionsOf('container-groups'), scope: `/subscriptions/${subscription}/resourceGroups/rg` },
      { actions: actionsOf('subscription-reader'), scope: `/subscriptions/${subscription}` },
      { actions: actionsOf('subnet-join'), scope: subnet },
      { actions: actionsOf('identity-assign'), scope: identity },
    ]);
  });

  it('is the emulator’s own unless given, with the subnets of the knobs, and the subnets and identities that are named', () => {
    const knobs = { subnets: [{ id: subnet, cidr: '10.0.0.0/24', delegated: true }] };
    const { runtime, clock } = createBench();
    const core = createCore({
      subscriptionId: subscription,
      resourceGroups: ['rg'],
      locations: ['westeurope'],
      runtime,
      clock,
      knobs,
      joinableSubnets: [`${subnet}-2`],
      assignableIdentities: [identity],
    });
    const [first] = core.state.principals;
    expect(first?.clientId).toBe(app.clientId);
    expect(first?.assignments.map(({ scope }) => scope)).toEqual(
      expect.arrayContaining([...app.assignments.map(({ scope }) => scope), `${subnet}-2`]),
    );
  });

  it.each([
    ['start', `${groupsPath}/g/start`, 'POST'],
    ['restart', `${groupsPath}/g/restart`, 'POST'],
    ['outbound endpoints', `${groupsPath}/g/outboundNetworkDependenciesEndpoints`, 'GET'],
    [
      'all groups of the subscription',
      `/subscriptions/${subscription}/providers/Microsoft.ContainerInstance/containerGroups`,
      'GET',
    ],
    ['another resource group', groupsPath.replace('/rg/', '/empty/'), 'GET'],
    ['the resource group itself', `/subscriptions/${subscription}/resourceGroups/rg`, 'GET'],
    [
      'capabilities',
      `/subscriptions/${subscription}/providers/Microsoft.ContainerInstance/locations/eastus/capabilities`,
      'GET',
    ],
  ])('may not: %s', async (_, path, method) => {
    const bench = createBench({ principals: [app] });
    const answer = await bench.request(method, path);
    expect([answer.status, answer.body.error.code]).toEqual([403, 'AuthorizationFailed']);
  });
});

describe('actions that were needed', () => {
  it('are counted by principal, linked ones too, whether allowed or not, and outlive the journal', async () => {
    const bench = createBench({ principals: [app] });
    const inSubnet = (id: string): object => groupBody({ subnetIds: [{ id }] });
    await bench.put('a', inSubnet(subnet));
    await bench.put('b', inSubnet(`${subnet}-2`));
    await bench.post('a', 'restart');
    const admin = (method: string, path: string) =>
      answerAdmin(bench.core, { method, url: `/_emulator/${path}`, headers: {}, body: '', origin: '' });
    await admin('DELETE', 'journal');
    const principal = app.clientId;
    expect((await admin('GET', 'actions')).body).toEqual({
      actions: [
        { principal, action: 'Microsoft.ContainerInstance/containerGroups/write', allowed: 2, denied: 0 },
        { principal, action: 'Microsoft.Network/virtualNetworks/subnets/join/action', allowed: 1, denied: 1 },
        { principal, action: 'Microsoft.ContainerInstance/containerGroups/restart/action', allowed: 0, denied: 1 },
      ],
    });
  });
});
