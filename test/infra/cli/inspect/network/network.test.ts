import { describe, expect, it } from 'vitest';
import { judgeRanges, judgeZone } from '../../../../../infra/cli/inspect/network/aks-judgements.ts';
import type { AksFound } from '../../../../../infra/cli/inspect/network/aks-judgements.ts';
import { findAks, parseAks, readAksClusters, readZone } from '../../../../../infra/cli/inspect/network/aks-objects.ts';
import { wayOutOf } from '../../../../../infra/cli/inspect/network/subnet-facts.ts';
import type { SubnetNetwork } from '../../../../../infra/cli/inspect/network/subnet-facts.ts';
import {
  consoleWay,
  inboundWay,
  internetWay,
  judgeSecurity,
  judgeWayOut,
} from '../../../../../infra/cli/inspect/network/subnet-judgements.ts';
import { readAppSubnet, readSubnetNetwork } from '../../../../../infra/cli/inspect/network/subnet-objects.ts';
import type { Check } from '../../../../../infra/cli/inspect/check.ts';
import { read, unreadable } from '../../../../../infra/cli/inspect/observed.ts';
import { azOf, azureOf, nsgRule, subnetId, vnetId, withNat } from './azure.ts';

async function subnetOf(world: Parameters<typeof azureOf>[0]): Promise<SubnetNetwork> {
  const part = await readSubnetNetwork(azOf(azureOf(world)), subnetId);
  if (part.kind === 'unreadable') throw new Error(part.reason);
  return part.value;
}

const said = (check: Check | undefined): string | undefined =>
  check && `${check.verdict}: ${check.found}${check.fix === undefined ? '' : ` → ${check.fix}`}`;

const toFirewall = {
  name: 'default',
  addressPrefix: '0.0.0.0/0',
  nextHopType: 'VirtualAppliance',
  nextHopIpAddress: '10.9.0.4',
};

describe('the security group of a subnet, as az shows it', () => {
  it('none, and one with the rules of Azure alone', async () => {
    const open = await subnetOf({});
    expect(said(judgeSecurity('x', open, [internetWay]))).toBe(
      'ok: The subnet has no security group, which lets everything through.',
    );
    const usual = await subnetOf({ rules: [] });
    expect(said(judgeSecurity('x', usual, [internetWay, inboundWay, consoleWay]))).toMatch(
      /^ok: No rule of pods-nsg is known to deny 443/,
    );
  });

  it('names the rule and what it denies', async () => {
    const closed = await subnetOf({ rules: [nsgRule('no-internet', 200, { destinationAddressPrefix: 'Internet' })] });
    expect(said(judgeSecurity('x', closed, [internetWay, consoleWay]))).toBe(
      'failed: pods-nsg denies 443 to the Internet by the rule no-internet; port 19390 of ACI, by which exec and attach go by the rule no-internet. → Put a rule of a smaller priority number before it: az network nsg rule create --nsg-name pods-nsg --access Allow …',
    );
    const inbound = await subnetOf({
      rules: [
        nsgRule('quiet', 300, {
          direction: 'Inbound',
          sourceAddressPrefix: null,
          sourceAddressPrefixes: ['VirtualNetwork'],
        }),
      ],
    });
    expect(said(judgeSecurity('x', inbound, [inboundWay], 'warning'))).toMatch(
      /^warning: pods-nsg denies connections from the network to the pods' ports .* by the rule quiet\./,
    );
  });

  it('that can not be read', async () => {
    const { 'network nsg show': hidden, ...rest } = azureOf({ rules: [] });
    expect(hidden).toBeDefined();
    const part = await readSubnetNetwork(azOf(rest), subnetId);
    expect(part.kind === 'read' && said(judgeSecurity('x', part.value, []))).toMatch(
      /^skipped: az network nsg: your account has no role/,
    );
  });
});

describe('how packets leave a subnet', () => {
  it.each<[string, Parameters<typeof azureOf>[0], string, string]>([
    ['a NAT gateway', { subnet: withNat }, 'nat', 'ok: By a NAT gateway: 20.1.1.1, 20.2.0.0/30.'],
    [
      'a firewall',
      { routes: [toFirewall], subnet: withNat },
      'appliance',
      'ok: The route default sends everything to 10.9.0.4 (VirtualAppliance)',
    ],
    [
      'a gateway of the network',
      { routes: [{ ...toFirewall, nextHopType: 'VirtualNetworkGateway', nextHopIpAddress: null }] },
      'appliance',
      'ok: The route default sends everything to its VirtualNetworkGateway',
    ],
    [
      'a route to the Internet',
      { routes: [{ ...toFirewall, nextHopType: 'Internet' }], subnet: withNat },
      'nat',
      'ok: By a NAT gateway',
    ],
    [
      'a route that drops',
      { routes: [{ ...toFirewall, nextHopType: 'None' }] },
      'none',
      'failed: The route default drops everything',
    ],
    ["Azure's default", {}, 'default', 'warning: There is no NAT gateway'],
    ['nothing', { subnet: { defaultOutboundAccess: false } }, 'none', 'failed: There is none: no NAT gateway'],
  ])('%s', async (_, world, kind, sentence) => {
    const subnet = await subnetOf(world);
    expect(wayOutOf(subnet).kind).toBe(kind);
    expect(said(judgeWayOut('x', subnet))).toContain(sentence);
  });

  it('that is not known', async () => {
    const { 'network nat gateway show': hidden, ...rest } = azureOf({ subnet: withNat });
    expect(hidden).toBeDefined();
    const part = await readSubnetNetwork(azOf(rest), subnetId);
    if (part.kind === 'unreadable') throw new Error(part.reason);
    expect(wayOutOf(part.value)).toEqual({ kind: 'unknown' });
    expect(said(judgeWayOut('x', part.value))).toMatch(/^skipped: az network nat: your account has no role/);
  });
});

/** The members of `az aks show` that matter here, and some that don't. */
const shownAks = (changes: Readonly<Record<string, unknown>> = {}) => ({
  id: '/subscriptions/s-2/resourcegroups/clusters/providers/Microsoft.ContainerService/managedClusters/prod',
  name: 'prod',
  resourceGroup: 'clusters',
  nodeResourceGroup: 'MC_clusters_prod_westeurope',
  fqdn: 'Prod-x.hcp.westeurope.azmk8s.io',
  privateFqdn: null,
  apiServerAccessProfile: null,
  networkProfile: { networkPlugin: 'azure', networkPluginMode: null, podCidr: null },
  ...changes,
});

const aksOf = (changes: Readonly<Record<string, unknown>> = {}): AksFound => {
  const found = parseAks(shownAks(changes));
  if (found === undefined) throw new Error('no cluster');
  return found;
};

const ranges = (...authorizedIpRanges: string[]) => aksOf({ apiServerAccessProfile: { authorizedIpRanges } });
const privateAks = (changes: Readonly<Record<string, unknown>> = {}) =>
  aksOf({
    privateFqdn: 'prod-y.0123.privatelink.westeurope.azmk8s.io',
    apiServerAccessProfile: { enablePrivateCluster: true, privateDnsZone: 'system', ...changes },
  });

describe('AKS, found by its API server', () => {
  it('among those of the subscription, or the one that is named', async () => {
    const az = azOf({
      'aks list --subscription s-1': [shownAks(), { no: 'cluster' }],
      'aks show --name prod': shownAks(),
    });
    const listed = await readAksClusters(az, { show: undefined, subscription: 's-1' });
    expect(findAks(listed, ['10.0.0.1', 'prod-x.hcp.westeurope.azmk8s.io'])).toMatchObject({
      kind: 'read',
      value: { name: 'prod' },
    });
    expect(findAks(listed, ['api.example'])).toEqual(
      unreadable('No AKS cluster that your account sees there has the API server api.example; --aks names one.'),
    );
    expect(await readAksClusters(az, { show: ['--name', 'prod'], subscription: 's-1' })).toMatchObject({
      value: [{ name: 'prod' }],
    });
    expect(findAks(await readAksClusters(azOf({}), { show: undefined, subscription: 's-1' }), [])).toMatchObject({
      kind: 'unreadable',
    });
  });

  it.each<[string, object, boolean]>([
    ['flat', { networkPlugin: 'azure', networkPluginMode: null }, false],
    ['overlay', { networkPlugin: 'azure', networkPluginMode: 'overlay' }, true],
    ['kubenet', { networkPlugin: 'kubenet' }, true],
    ['none', { networkPlugin: 'none' }, false],
  ])('hides addresses of pods: %s', (_, networkProfile, hidesPods) => {
    expect(aksOf({ networkProfile }).hidesPods).toBe(hidesPods);
  });
});

describe('authorized ranges', () => {
  it.each<[string, AksFound, Parameters<typeof azureOf>[0], string | undefined]>([
    ['none', aksOf(), { subnet: withNat }, undefined],
    ['a private cluster', privateAks({ authorizedIpRanges: ['1.1.1.1/32'] }), { subnet: withNat }, undefined],
    [
      'with all',
      ranges('20.1.1.1/32', '20.2.0.0/24'),
      { subnet: withNat },
      "ok: They hold 20.1.1.1, 20.2.0.0/30, by which the subnet's packets leave.",
    ],
    [
      'with some',
      ranges('20.1.1.1', '20.2.0.0/32'),
      { subnet: withNat },
      "failed: They do not hold 20.2.0.0/30, by which the subnet's packets leave. → az aks update --name prod --resource-group clusters --api-server-authorized-ip-ranges 20.1.1.1,20.2.0.0/32,20.2.0.0/30",
    ],
    [
      'behind a firewall',
      ranges('1.1.1.1/32'),
      { routes: [toFirewall] },
      'skipped: The API server takes connections from 1.1.1.1/32 alone, and packets leave the subnet by 10.9.0.4: the public address of that one must be in it.',
    ],
    [
      'without an address',
      ranges('1.1.1.1/32'),
      {},
      'warning: The API server takes connections from 1.1.1.1/32 alone, and the subnet has no egress address of its own. → Give the subnet a NAT gateway, and put its address into the authorized ranges.',
    ],
  ])('%s', async (_, aks, world, sentence) => {
    expect(said(judgeRanges('x', aks, await subnetOf(world)))).toBe(sentence);
  });
});

describe('the private DNS zone', () => {
  const zone = {
    name: '0123.privatelink.westeurope.azmk8s.io',
    resourceGroup: 'MC_clusters_prod_westeurope',
    subscription: 's-2',
  };
  const dns = { nameServers: ['10.0.0.10'], domain: 'cluster.local', viaServices: true };
  const facts = { links: read<readonly string[]>([]), network: vnetId, dnsServers: read<readonly string[]>([]) };

  it("is AKS's own, the operator's, or nobody's", () => {
    expect(aksOf().zone).toBeUndefined();
    expect(privateAks().zone).toEqual(zone);
    const own =
      '/subscriptions/s-3/resourceGroups/dns/providers/Microsoft.Network/privateDnsZones/privatelink.westeurope.azmk8s.io';
    expect(privateAks({ privateDnsZone: own }).zone).toEqual({
      name: 'privatelink.westeurope.azmk8s.io',
      resourceGroup: 'dns',
      subscription: 's-3',
    });
    expect(privateAks({ privateDnsZone: 'none' }).zone).toBeUndefined();
  });

  it('is read with its links, and the DNS servers of the network', async () => {
    const az = azOf({
      [`network private-dns link vnet list --resource-group ${zone.resourceGroup} --zone-name ${zone.name} --subscription s-2`]:
        [{ name: 'l', virtualNetwork: { id: vnetId, resourceGroup: 'net' } }],
      [`network vnet show --ids ${vnetId}`]: { dhcpOptions: { dnsServers: ['10.9.0.5'] } },
    });
    expect(await readZone(az, zone, subnetId)).toEqual({
      links: read([vnetId]),
      network: vnetId,
      dnsServers: read(['10.9.0.5']),
    });
  });

  it.each<[string, AksFound, Parameters<typeof judgeZone>[2] & { readonly dns?: typeof dns }, RegExp]>([
    ['no private cluster', aksOf(), facts, /^none$/],
    [
      'linked',
      privateAks(),
      { ...facts, links: read([vnetId.toUpperCase()]) },
      /^ok: 0123\.privatelink\..* is linked to the pods' network\.$/,
    ],
    [
      'not linked',
      privateAks(),
      facts,
      /^failed: .* is not linked to the pods' network: no pod finds the API server\. → az network private-dns link vnet create --resource-group MC_clusters_prod_westeurope --zone-name 0123/,
    ],
    [
      "not linked, and pods ask the cluster's DNS",
      privateAks(),
      { ...facts, dns },
      /^warning: .*those of dnsPolicy Default do not/,
    ],
    [
      'not linked, and the network asks servers of its own',
      privateAks(),
      { ...facts, dnsServers: read(['10.9.0.5']) },
      /^warning: .* which asks its own DNS servers \(10\.9\.0\.5\)/,
    ],
    ['not readable', privateAks(), { ...facts, links: unreadable('No right.') }, /^skipped: No right\.$/],
    [
      "of nobody's",
      privateAks({ privateDnsZone: 'none' }),
      facts,
      /^skipped: The cluster is private and AKS keeps no private DNS zone/,
    ],
  ])('%s', (_, aks, seen, sentence) => {
    expect(said(judgeZone('x', aks, seen, seen.dns)) ?? 'none').toMatch(sentence);
  });
});

describe("the app's own subnet", () => {
  it.each<[string, object, string | undefined]>([
    ['as ARM has it', { properties: { virtualNetworkSubnetId: subnetId } }, subnetId],
    ['flat', { virtualNetworkSubnetId: subnetId }, subnetId],
    ['none', { virtualNetworkSubnetId: null }, undefined],
  ])('%s', async (_, answer, id) => {
    const part = await readAppSubnet(azOf({ 'functionapp show': answer }), ['--name', 'x']);
    expect(part).toEqual(read(id === undefined ? {} : { id }));
  });
});
