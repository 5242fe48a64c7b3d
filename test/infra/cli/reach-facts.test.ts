import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { gatherReach, refuseUnread } from '../../../infra/cli/attach/reach-facts.ts';
import type { ReachPlace } from '../../../infra/cli/attach/reach-facts.ts';
import { attachOptions, parseAttachWants } from '../../../infra/cli/attach/wants.ts';
import { networkOf } from '../../../infra/cli/cluster/aks-network.ts';
import type { AksNetwork } from '../../../infra/cli/cluster/aks-network.ts';
import type { ClusterFault } from '../../../infra/cli/cluster/cluster-fault.ts';
import { createContext } from '../../../infra/cli/context.ts';
import type { CliContext } from '../../../infra/cli/context.ts';
import { parseOptions } from '../../../infra/cli/options.ts';
import { createOutput } from '../../../infra/cli/output.ts';
import { failure } from '../../../infra/cli/stop.ts';
import { subnetIdExample as podsSubnet } from '../../../shared/core/resource-id.ts';
import { parseSettings } from '../../../shared/wire/settings.ts';
import { clusterUid, registration, settingsOf } from '../../fixtures/settings.ts';

const nodesSubnet = `${networkOf(podsSubnet)}/subnets/nodes`;
const elsewhere = podsSubnet.replace('/prod/', '/other/');
const flat: AksNetwork = {
  kind: 'flat',
  podRange: undefined,
  serviceRanges: ['10.0.0.0/16'],
  podSubnets: [nodesSubnet],
  nodeResourceGroup: 'MC_a',
};
const subnets = [
  { id: nodesSubnet, addressPrefix: '10.240.0.0/16' },
  { id: podsSubnet.toUpperCase(), addressPrefixes: ['10.241.0.0/24', 'fd00::/64'] },
];

interface Around {
  /** By the first words of az's commands. */
  readonly az?: Readonly<Record<string, object>>;
  readonly paths?: Readonly<Record<string, object>>;
  readonly faults?: Readonly<Record<string, ClusterFault>>;
  readonly place?: Partial<ReachPlace>;
  readonly subnetId?: string | undefined;
}

const stream = { write: () => undefined };
async function gather(
  { az = {}, paths = {}, faults = {}, place = {}, subnetId = podsSubnet }: Around,
  ...args: string[]
) {
  const asked: string[] = [];
  const values = settingsOf(undefined, { CLUSTERS: '[]', ...(subnetId === '' ? {} : { ACI_SUBNET_ID: subnetId }) });
  const parsed = parseSettings(values);
  if (!parsed.ok) throw new Error('the settings are not valid');
  const made = createContext({
    options: parseOptions([], {}),
    out: createOutput({ stdout: stream, stderr: stream, format: 'table', environment: {} }),
    environment: {},
    signal: new AbortController().signal,
    stdin: () => Readable.from([]),
  });
  const context: CliContext = {
    ...made,
    az: {
      json: (words) => {
        const line = words.join(' ');
        asked.push(line);
        const known = Object.keys(az).find((key) => line.startsWith(key));
        return known === undefined ? Promise.reject(failure('you may not')) : Promise.resolve(az[known]);
      },
    },
    groups: () => {
      asked.push('groups');
      return Promise.reject(failure('no login'));
    },
    api: {
      ...made.api,
      send: ({ path }) =>
        Promise.resolve(
          faults[path] ??
            (paths[path] === undefined
              ? { kind: 'not-found', message: 'it is not there' }
              : { kind: 'answered', status: 200, text: JSON.stringify(paths[path]) }),
        ),
    },
  };
  const facts = await gatherReach(context, {
    wants: parseAttachWants(parseOptions(['--nodes', 'a', ...args], attachOptions)).reach,
    app: { source: { kind: 'file', file: 'f' }, values, settings: parsed.settings },
    namespace: 'sk',
    clusterUid,
    registered: undefined,
    aks: flat,
    keepsChart: false,
    isDryRun: false,
    ...place,
  });
  return { facts, asked };
}

const show = `network vnet show --ids ${networkOf(podsSubnet)}`;
const subnetShow = (id: string): string => `network vnet subnet show --ids ${id}`;

describe('what attach finds out of how pods reach a cluster', () => {
  it('has the ranges of the pods’ network, its own first, and that of the pools where it is one', async () => {
    const az = { [show]: { subnets }, [subnetShow(nodesSubnet)]: { addressPrefix: '10.240.0.0/16' } };
    const { facts } = await gather({ az });
    expect(facts).toMatchObject({
      hasSubnet: true,
      network: 'flat',
      podRange: '10.240.0.0/16',
      isElsewhere: false,
      serviceRanges: ['10.0.0.0/16'],
      subnetRanges: ['10.241.0.0/24', '10.240.0.0/16'],
    });
    const pools = { ...flat, podSubnets: [nodesSubnet, elsewhere] };
    const two = { ...az, [subnetShow(elsewhere)]: { addressPrefix: '10.9.0.0/16' } };
    expect((await gather({ az: two, place: { aks: pools } })).facts.podRange).toBeUndefined();
  });

  it('goes on with less where Azure does not let it', async () => {
    const own = { [subnetShow(podsSubnet)]: { addressPrefix: '10.241.0.0/24' } };
    expect((await gather({ az: own })).facts).toMatchObject({ podRange: undefined, subnetRanges: ['10.241.0.0/24'] });
    expect((await gather({})).facts).toMatchObject({ podRange: undefined, subnetRanges: [] });
  });

  it('asks Azure only where Services may come on, and az is used anyway', async () => {
    expect((await gather({}, '--services', 'off')).asked).toEqual([]);
    expect((await gather({ subnetId: '' })).asked).toEqual([]);
    const kubeconfig = await gather({ place: { aks: undefined } });
    expect([kubeconfig.asked, kubeconfig.facts.network]).toEqual([[], undefined]);
  });

  it('keeps why the DNS of the cluster was not read', async () => {
    const faults = {
      '/api/v1/namespaces/kube-system/services/kube-dns': { kind: 'forbidden', message: 'no' },
    } as const;
    expect((await gather({ faults })).facts).toMatchObject({ dnsAddress: undefined, dnsUnread: 'no.' });
    expect((await gather({})).facts).toMatchObject({ dnsAddress: undefined, dnsUnread: undefined });
  });

  const theirs = networkOf(elsewhere);
  const made = podsSubnet.replace('/network/', '/mc_A/');
  const peered = (id: string, peeringState = 'Connected') => [{ peeringState, remoteVirtualNetwork: { id } }];
  it.each<[string, readonly string[], string, readonly object[] | undefined, boolean]>([
    ['the same network', [nodesSubnet], podsSubnet, [], false],
    ['another network', [elsewhere], podsSubnet, [], true],
    ['another network, of which nobody may see more', [elsewhere], podsSubnet, undefined, true],
    ['a peered network', [elsewhere], podsSubnet, peered(theirs.toUpperCase()), false],
    ['a peering of one side', [elsewhere], podsSubnet, peered(theirs, 'Initiated'), true],
    ['a peering with a third', [elsewhere], podsSubnet, peered(theirs.replace('other', 'third')), true],
    ['a network that AKS made', [], podsSubnet, [], true],
    ['a network that AKS made, with the pods in it', [], made, [], false],
    ['a network that AKS made, peered', [], podsSubnet, peered(networkOf(made)), false],
  ])('knows whether the pods are elsewhere: %s', async (...[, podSubnets, subnetId, virtualNetworkPeerings, is]) => {
    const key = `network vnet show --ids ${networkOf(subnetId)}`;
    const az = virtualNetworkPeerings === undefined ? {} : { [key]: { subnets, virtualNetworkPeerings } };
    const { facts } = await gather({ az, subnetId, place: { aks: { ...flat, podSubnets } } });
    expect(facts.isElsewhere).toBe(is);
  });

  it('looks for who has a former token only where there is one, and keeps it when that is not known', async () => {
    const paths = {
      '/api/v1/namespaces/sk/secrets/services-a': { metadata: { uid: 'u' }, data: { token: 'dA==' } },
    };
    const [known] = clustersWith('services-a');
    const own = await gather({ paths, place: { aks: undefined, registered: known } });
    expect(own.asked).toEqual([]);
    const [other] = clustersWith('services-b');
    const former = await gather({ paths, place: { aks: undefined, registered: other } });
    expect(former.asked).toEqual(['groups']);
    expect(former.facts.secrets).toMatchObject([{ name: 'services-a', hasToken: true, pods: undefined }]);
  });

  it.each<[string, ClusterFault, Partial<ReachPlace>, RegExp]>([
    [
      'throttled',
      { kind: 'refused', status: 429, message: 'slow down' },
      {},
      /may have their tokens: .*429: slow down$/,
    ],
    ['broken', { kind: 'refused', status: 503, message: 'no etcd' }, {}, /503: no etcd$/],
    ['timed out', { kind: 'unreachable', why: 'no answer' }, {}, /does not answer$/],
    ['denied', { kind: 'forbidden', message: 'you may not get it' }, {}, /you may not get it$/],
    ['unread, but shown only', { kind: 'unreachable', why: 'no answer' }, { isDryRun: true }, /goes on/],
    ['unread, but the chart stays', { kind: 'unreachable', why: 'no answer' }, { keepsChart: true }, /goes on/],
  ])('stops where a Secret is not seen, and the chart is to change: %s', async (...[, fault, place, problem]) => {
    const faults = { '/api/v1/namespaces/sk/secrets/services-b': fault };
    const { facts } = await gather({ faults, place: { aks: undefined, ...place } });
    expect(facts.secrets).toEqual([]);
    const refused = (): string => {
      try {
        refuseUnread(facts, 'sk');
        return 'goes on';
      } catch (error) {
        return String(error);
      }
    };
    expect(refused()).toMatch(problem);
  });
});

function clustersWith(credential: string) {
  const services = { clusterCidr: '10.0.0.0/8', credential };
  const clusters = JSON.stringify([{ ...registration([{ name: 'a' }]), services }]);
  const parsed = parseSettings(settingsOf(undefined, { CLUSTERS: clusters }));
  if (!parsed.ok) throw new Error('no registration');
  return parsed.settings.CLUSTERS;
}
