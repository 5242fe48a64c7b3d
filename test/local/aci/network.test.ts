import { describe, expect, it } from 'vitest';
import { answerAdmin } from '../../../infra/local/aci/admin.ts';
import type { ArmResponse } from '../../../infra/local/aci/json.ts';
import { resolverCorefile } from '../../../infra/local/aci/network/corefile.ts';
import type { GroupNetworks } from '../../../infra/local/aci/network/group-networks.ts';
import { groupRules } from '../../../infra/local/aci/network/group-rules.ts';
import { tokenKubeconfig } from '../../../infra/local/cluster/kubeconfig.ts';
import { containerBody, createBench, groupBody, subscription } from './harness.ts';
import type { Bench } from './harness.ts';

const network = `/subscriptions/${subscription}/resourceGroups/n/providers/Microsoft.Network/virtualNetworks/v`;
const subnetIds = [{ id: `${network}/subnets/s` }];
const kubeconfig = tokenKubeconfig({ url: 'https://10.0.0.1:6443', caPem: 'CA' }, 'proxy', 't');
const extensions = [
  {
    name: 'kube-proxy',
    properties: {
      extensionType: 'kube-proxy',
      version: '1.0',
      settings: { clusterCidr: '10.244.0.0/16' },
      protectedSettings: { kubeConfig: Buffer.from(kubeconfig).toString('base64') },
    },
  },
];
const turn = (bench: Bench, body: object): Promise<ArmResponse> =>
  answerAdmin(bench.core, {
    method: 'POST',
    url: '/_emulator/network',
    headers: {},
    body: JSON.stringify(body),
    origin: 'http://admin',
  });
const stateOf = async (bench: Bench, name: string): Promise<string> =>
  (await bench.get(name)).body.properties.provisioningState;

describe('a subnet without a free address', () => {
  it('refuses nothing: the group waits, until its time is up', async () => {
    const bench = createBench({ knobs: { subnetAddresses: 1 } });
    await bench.running('a', groupBody({ subnetIds }));
    expect((await bench.running('b', groupBody({ subnetIds }))).status).toBe(201);
    await bench.clock.advance(600_000);
    expect([await stateOf(bench, 'a'), await stateOf(bench, 'b')]).toEqual(['Succeeded', 'Creating']);
    expect((await bench.container('b')).currentState.state).toBe('Waiting');
    await bench.clock.advance(1_200_000);
    expect(await stateOf(bench, 'b')).toBe('Failed');
  });

  it('has one again once a group of it is deleted', async () => {
    const bench = createBench({ knobs: { subnetAddresses: 1 } });
    await bench.running('a', groupBody({ subnetIds }));
    await bench.running('b', groupBody({ subnetIds }));
    await bench.delete('a');
    await bench.clock.advance(20_000);
    expect(await stateOf(bench, 'b')).toBe('Succeeded');
  });

  it('has as many as its range, without the five that Azure keeps', async () => {
    const subnet = { id: `${network}/subnets/s`, cidr: '10.0.0.0/29', delegated: true };
    const bench = createBench({ knobs: { subnets: [subnet] } });
    for (const name of ['a', 'b', 'c', 'd']) await bench.running(name, groupBody({ subnetIds }));
    const states = await Promise.all(['a', 'b', 'c', 'd'].map((name) => stateOf(bench, name)));
    expect(states).toEqual(['Succeeded', 'Succeeded', 'Succeeded', 'Creating']);
  });

  it('concerns no group outside, and is turned at the admin port', async () => {
    const bench = createBench();
    expect((await turn(bench, { subnetAddresses: 0 })).body).toMatchObject({ subnetAddresses: 0, vnetDns: 'zone' });
    await bench.running('a', groupBody());
    await bench.running('b', groupBody({ subnetIds }));
    expect([await stateOf(bench, 'a'), await stateOf(bench, 'b')]).toEqual(['Succeeded', 'Creating']);
    expect((await turn(bench, { vnetDns: 'maybe' })).status).toBe(400);
  });
});

describe('the extension kube-proxy', () => {
  /** What happens in a group's network, and what its containers do meanwhile. */
  async function eventsOf(kubeProxyInInit: boolean, properties: object): Promise<readonly string[]> {
    const events: string[] = [];
    const groupNetworks: GroupNetworks = {
      nameServer: undefined,
      join: async () => void events.push('join'),
      startExtensions: async () => {
        const runs = bench.core.state.journal.runs.all().map(({ container }) => container);
        events.push(`extensions after [${runs.join()}]`);
      },
      leave: async () => void events.push('leave'),
      turn: async () => undefined,
      close: async () => void events.push('close'),
    };
    const bench = createBench({ groupNetworks, knobs: { kubeProxyInInit } });
    const init = containerBody('i', { resources: undefined }, [{ runMs: 1000, exitCode: 0 }]);
    await bench.running('g', groupBody({ initContainers: [init], ...properties }));
    await bench.clock.advance(60_000);
    await bench.delete('g');
    await bench.core.close();
    return events;
  }

  it('is not there while init containers run', async () => {
    const events = await eventsOf(false, { subnetIds, extensions });
    expect(events).toEqual(['join', 'extensions after [i]', 'leave', 'close']);
  });

  it('is there, with the knob', async () => {
    const events = await eventsOf(true, { subnetIds, extensions });
    expect(events).toEqual(['join', 'extensions after []', 'extensions after [i]', 'leave', 'close']);
  });

  it('is in subnets only', async () => {
    expect((await eventsOf(false, {})).includes('join')).toBe(false);
  });

  it('is missed in one line where groups have no network of their own', async () => {
    const lines: string[] = [];
    const bench = createBench({ log: (line) => lines.push(line) });
    await bench.running('a', groupBody({ subnetIds, extensions }));
    await bench.running('b', groupBody({ subnetIds, extensions }));
    expect(lines).toEqual([
      'no kube-proxy and no realtime-metrics in the groups: the runtime scripted has no network for each',
    ]);
    expect(await stateOf(bench, 'b')).toBe('Succeeded');
  });
});

describe('rules of a group’s network', () => {
  const resolver = { address: '10.89.0.1', port: 4053 };
  const base = {
    resolver,
    stats: undefined,
    droppedPorts: [53, 6443],
    unroutedRanges: ['10.96.0.0/12'],
    vanish: 'silent',
    isFirst: true,
  } as const;

  it('lead Azure’s resolver to what stands for it', () => {
    const text = groupRules(base);
    for (const p of ['udp', 'tcp'])
      expect(text).toContain(`-d 168.63.129.16/32 -p ${p} -m ${p} --dport 53 -j DNAT --to-destination 10.89.0.1:4053`);
    expect(groupRules({ ...base, resolver: undefined })).not.toContain('DNAT');
  });

  it('lead what is sent to realtime-metrics to its server, which sees the group ask; without it nothing listens', () => {
    const text = groupRules({ ...base, stats: { address: '10.89.0.1', port: 4100 } });
    expect(text).toContain('-A PREROUTING -j VNET-STATS\n');
    expect(text).toContain('-A VNET-STATS -p tcp -m tcp --dport 18899 -j DNAT --to-destination 10.89.0.1:4100\n');
    expect(text).toContain('-A VNET-STATS-BACK -d 10.89.0.1/32 -p tcp -m tcp --dport 4100 -j MASQUERADE\n');
    expect(groupRules(base)).not.toContain('18899');
    expect(groupRules(base)).toContain(':VNET-STATS - [0:0]\n');
  });

  it('drop ports, after an exception for Azure’s resolver', () => {
    const lines = groupRules(base).split('\n');
    const first = lines.findIndex((line) => line.includes('--dport 53 -j NFQUEUE'));
    expect(lines.findIndex((line) => line.endsWith('-j RETURN'))).toBeLessThan(first);
    expect(lines.filter((line) => line.includes('NFQUEUE'))).toHaveLength(5);
    expect(groupRules({ ...base, vanish: 'DROP' }).match(/-j DROP/g)).toHaveLength(5);
  });

  it('are led to once', () => {
    expect(groupRules(base).match(/^-A (?:OUTPUT|PREROUTING|POSTROUTING)/gm)).toHaveLength(4);
    expect(groupRules({ ...base, isFirst: false })).not.toMatch(/^-A (?:OUTPUT|PREROUTING|POSTROUTING)/m);
  });
});

describe('the stand-in for Azure’s resolver', () => {
  it.each([
    ['zone', /hosts \{[^}]*10\.89\.0\.1 outside\.example[^}]*\}\n\s+template ANY ANY \{\n\s+rcode NXDOMAIN/],
    ['nxdomain', /errors\n\s+template ANY ANY \{\n\s+rcode NXDOMAIN/],
    ['servfail', /errors\n\s+template ANY ANY \{\n\s+rcode SERVFAIL/],
    ['machine', /hosts \{[^}]*\}\n\s+forward \. \/etc\/resolv\.conf/],
  ] as const)('answers as the knob %s says', (vnetDns, expected) => {
    expect(resolverCorefile({ address: '10.89.0.1', port: 4053, vnetDns })).toMatch(expected);
  });
});
