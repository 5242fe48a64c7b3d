import { describe, expect, it } from 'vitest';
import { endpointsSchema, serviceSchema } from '../../../infra/local/aci/kube-proxy/objects.ts';
import type { Endpoints, Service } from '../../../infra/local/aci/kube-proxy/objects.ts';
import { proxyRules } from '../../../infra/local/aci/kube-proxy/rules.ts';
import { installedBy, parseSaved, restoreText } from '../../../infra/local/aci/kube-proxy/restore-text.ts';
import { staleFlows } from '../../../infra/local/aci/kube-proxy/conntrack.ts';

const metadata = { namespace: 'default', name: 'web' };
const service = (spec: object, status: object = {}): Service => serviceSchema.parse({ metadata, spec, status });
const endpoints = (...subsets: object[]): Endpoints => endpointsSchema.parse({ metadata, subsets });
const at = (...ips: string[]): object[] => ips.map((ip) => ({ ip }));
const plain = service({ clusterIP: '10.96.1.1', ports: [{ port: 80 }] });
const cidr = '10.244.0.0/16';

/** What a connection meets, chain by chain: `DNAT a:p` for each that it may end at, `REJECT`, or nothing. */
function ends(
  services: Service[],
  objects: Endpoints[],
  packet: { to: string; port: number; udp?: boolean },
): string[] {
  const { nat, filter } = proxyRules(services, objects, cidr);
  const wanted = `-d ${packet.to}/32 -p ${packet.udp === true ? 'udp' : 'tcp'} `;
  const isFor = (line: string): boolean => line.includes(wanted) && line.includes(`--dport ${packet.port} `);
  const follow = (chain: string): string[] =>
    (nat.get(chain) ?? []).flatMap((line) => {
      const target = /-j (KUBE-(?:SVC|SEP)-\S+)$/.exec(line)?.[1];
      const address = /--to-destination (\S+)$/.exec(line)?.[1];
      return target === undefined ? (address ?? []) : follow(target);
    });
  const first = (nat.get('KUBE-SERVICES') ?? []).filter((line) => isFor(line) && !line.endsWith('KUBE-MARK-MASQ'));
  const refused = (filter.get('KUBE-SERVICES') ?? []).filter(isFor).map(() => 'REJECT');
  return [...new Set(first.flatMap((line) => follow(/-j (\S+)$/.exec(line)?.[1] ?? '')))].toSorted().concat(refused);
}

describe('a Service leads to', () => {
  const named = { name: 'http', port: 8080 };
  const both = endpoints({ addresses: at('10.1.0.1', '10.1.0.2'), notReadyAddresses: at('10.1.0.3'), ports: [named] });
  const onPort = (spec: object = {}): Service =>
    service({ clusterIP: '10.96.1.1', ports: [{ name: 'http', port: 80 }], ...spec });
  const to = '10.96.1.1';

  it.each<[string, Service, Endpoints[], { to: string; port: number; udp?: boolean }, string[]]>([
    ['its ready endpoints', onPort(), [both], { to, port: 80 }, ['10.1.0.1:8080', '10.1.0.2:8080']],
    [
      'those that are not ready too, where it publishes them',
      onPort({ publishNotReadyAddresses: true }),
      [both],
      { to, port: 80 },
      ['10.1.0.1:8080', '10.1.0.2:8080', '10.1.0.3:8080'],
    ],
    ['a refusal without endpoints', onPort(), [], { to, port: 80 }, ['REJECT']],
    [
      'a refusal where none is ready',
      onPort(),
      [endpoints({ notReadyAddresses: at('10.1.0.3'), ports: [named] })],
      { to, port: 80 },
      ['REJECT'],
    ],
    ['nothing at another port', onPort(), [both], { to, port: 81 }, []],
    ['nothing by another protocol', onPort(), [both], { to, port: 80, udp: true }, []],
    [
      'the port of the same name',
      service({
        clusterIP: to,
        ports: [
          { name: 'http', port: 80 },
          { name: 'metrics', port: 90 },
        ],
      }),
      [endpoints({ addresses: at('10.1.0.1'), ports: [named, { name: 'metrics', port: 9000 }] })],
      { to, port: 90 },
      ['10.1.0.1:9000'],
    ],
    [
      'the same name by UDP',
      service({ clusterIP: to, ports: [{ name: 'http', port: 80, protocol: 'UDP' }] }),
      [endpoints({ addresses: at('10.1.0.1'), ports: [{ ...named, protocol: 'UDP' }] })],
      { to, port: 80, udp: true },
      ['10.1.0.1:8080'],
    ],
    [
      'endpoints of several subsets',
      plain,
      [
        endpoints(
          { addresses: at('10.1.0.1'), ports: [{ port: 1 }] },
          { addresses: at('10.1.0.2'), ports: [{ port: 2 }] },
        ),
      ],
      { to, port: 80 },
      ['10.1.0.1:1', '10.1.0.2:2'],
    ],
    [
      'the same by an external address',
      onPort({ externalIPs: ['192.0.2.7'] }),
      [both],
      { to: '192.0.2.7', port: 80 },
      ['10.1.0.1:8080', '10.1.0.2:8080'],
    ],
    [
      'the same by a load balancer’s address',
      serviceSchema.parse({
        ...onPort(),
        status: { loadBalancer: { ingress: [{ ip: '192.0.2.8' }, { hostname: 'x' }] } },
      }),
      [both],
      { to: '192.0.2.8', port: 80 },
      ['10.1.0.1:8080', '10.1.0.2:8080'],
    ],
    [
      'nothing when it is headless',
      service({ clusterIP: 'None', ports: [{ port: 80 }] }),
      [both],
      { to, port: 80 },
      [],
    ],
    ['nothing when it is a name of another place', service({ type: 'ExternalName' }), [both], { to, port: 80 }, []],
  ])('%s', (...[, object, objects, packet, expected]) => {
    expect(ends([object], objects, packet)).toEqual(expected);
  });

  it('each endpoint as often as the others', () => {
    const three = endpoints({ addresses: at('10.1.0.1', '10.1.0.2', '10.1.0.3'), ports: [{ port: 1 }] });
    const chain = [...proxyRules([plain], [three], cidr).nat].find(([name]) => name.startsWith('KUBE-SVC-'))?.[1] ?? [];
    const chances = chain.map((line) => Number(/--probability (\S+)/.exec(line)?.[1] ?? 1));
    expect(chances.map((chance) => chance.toFixed(4))).toEqual(['0.3333', '0.5000', '1.0000']);
  });

  it('the endpoint that the client had last, where sessions are kept', () => {
    const kept = service({
      clusterIP: to,
      ports: [{ port: 80 }],
      sessionAffinity: 'ClientIP',
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } },
    });
    const two = endpoints({ addresses: at('10.1.0.1', '10.1.0.2'), ports: [{ port: 1 }] });
    const text = restoreText(proxyRules([kept], [two], cidr), parseSaved(''));
    expect(text.match(/-m recent --name KUBE-SEP-\w+ --rcheck --seconds 60 --reap/g)).toHaveLength(2);
    expect(text.match(/-m recent --name KUBE-SEP-\w+ --set -j DNAT/g)).toHaveLength(2);
  });
});

describe('what makes no sense', () => {
  it.each<[string, object[]]>([
    ['no address', [{ addresses: at('nonsense', '10.1.0.1'), ports: [{ port: 1 }] }]],
    ['an address with a rule in it', [{ addresses: at('1.1.1.1 -j ACCEPT', '10.1.0.1'), ports: [{ port: 1 }] }]],
    ['an address of IPv6', [{ addresses: at('fd00::1', '10.1.0.1'), ports: [{ port: 1 }] }]],
    ['an octet of 256', [{ addresses: at('10.1.0.256', '10.1.0.1'), ports: [{ port: 1 }] }]],
    [
      'a port of 70000',
      [
        { addresses: at('10.1.0.1'), ports: [{ port: 1 }] },
        { addresses: at('10.1.0.2'), ports: [{ port: 70_000 }] },
      ],
    ],
    [
      'a port of 0',
      [
        { addresses: at('10.1.0.1'), ports: [{ port: 1 }] },
        { addresses: at('10.1.0.2'), ports: [{ port: 0 }] },
      ],
    ],
    [
      'half a port',
      [
        { addresses: at('10.1.0.1'), ports: [{ port: 1 }] },
        { addresses: at('10.1.0.2'), ports: [{ port: 1.5 }] },
      ],
    ],
  ])('is left out and reported once: %s', (_, subsets) => {
    const rules = proxyRules([plain], [endpoints(...subsets)], cidr);
    expect(ends([plain], [endpoints(...subsets)], { to: '10.96.1.1', port: 80 })).toEqual(['10.1.0.1:1']);
    expect(rules.faults).toHaveLength(1);
    expect(rules.faults[0]).toMatch(/^default\/web: left out "/);
  });
});

describe('the text for iptables-restore', () => {
  const one = endpoints({ addresses: at('10.1.0.1'), ports: [{ port: 1 }] });
  const rules = proxyRules([plain], [one], cidr);

  it('leads the built-in chains to ours once', () => {
    expect(restoreText(rules, parseSaved('')).match(/^-A (?:OUTPUT|PREROUTING|FORWARD|POSTROUTING) /gm)).toHaveLength(
      5,
    );
    const saved =
      '*nat\n:KUBE-SERVICES - [0:0]\n-A OUTPUT -j KUBE-SERVICES\nCOMMIT\n*filter\n:KUBE-X - [0:0]\nCOMMIT\n';
    const again = restoreText(rules, parseSaved(saved));
    expect(again.match(/^-A OUTPUT /gm)).toHaveLength(1);
    expect(again).toContain('-X KUBE-X');
    expect(restoreText(rules, installedBy(rules))).not.toMatch(/^-A (?:OUTPUT|PREROUTING)/m);
  });

  it('removes the chains of what has gone, and no others', () => {
    const text = restoreText(proxyRules([], [], cidr), installedBy(rules));
    expect(text.match(/^-X .*/gm)?.map((line) => line.slice(0, 12))).toEqual(['-X KUBE-SVC-', '-X KUBE-SEP-']);
  });

  it('marks what comes from outside the pods’ range, where that is known', () => {
    expect(restoreText(rules, parseSaved(''))).toContain(`! -s ${cidr} -d 10.96.1.1/32`);
    expect(restoreText(proxyRules([plain], [one], undefined), parseSaved(''))).not.toContain('! -s');
  });
});

describe('flows of UDP are forgotten', () => {
  const target = '10.96.0.10:53';
  const forget = ['-D', '-p', 'udp', '--orig-dst', '10.96.0.10', '--orig-port-dst', '53'];
  const map = (...members: string[]): ReadonlyMap<string, ReadonlySet<string>> => new Map([[target, new Set(members)]]);
  it.each<[string, string[], string[], string[][]]>([
    [
      'of an endpoint that has gone',
      ['10.1.0.1:53', '10.1.0.2:53'],
      ['10.1.0.2:53'],
      [[...forget, '--dst-nat', '10.1.0.1']],
    ],
    ['of a Service that gets its first endpoint', [], ['10.1.0.1:53'], [forget]],
    ['of none, where one comes', ['10.1.0.1:53'], ['10.1.0.1:53', '10.1.0.2:53'], []],
  ])('%s', (_, before, after, expected) => {
    expect(staleFlows(map(...before), map(...after))).toEqual(expected);
  });
});
