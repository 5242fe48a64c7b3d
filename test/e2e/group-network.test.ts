import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canMake } from '../../infra/local/aci/images/rootfs.ts';
import { endpoints, NetworkRig, service } from './network-rig.ts';
import { until } from './until.ts';

const busybox = 'busybox:1.36';
/** Where musl's compiler is, as in the gate; else only busybox's own resolver is asked. */
const hasMusl = canMake('musl');
const debian = 'debian:bookworm';
/** Within seconds, on a machine that has others to serve: alone it is one or two. */
const secondsMs = 15_000;
let rig: NetworkRig;
let names: Readonly<Record<string, number>> = {};

beforeAll(async () => {
  rig = await NetworkRig.start();
  names = { a: await rig.serve('a'), b: await rig.serve('b'), c: await rig.serve('c') };
  await rig.apply(service('web', { ports: [{ port: 80 }] }));
  await serveAll();
  await rig.put('pod', { musl: hasMusl ? 'alpine:3.20' : busybox, glibc: debian }, rig.inCluster());
});

afterAll(async () => {
  await rig?.close();
});

/** All three serve `web`, as they do at first: what ends early leaves it otherwise. */
const serveAll = () => rig.apply(endpoints('web', rig.gateway, Object.values(names)));

/** The HTTP answers of so many calls, and how often each came; what curl said of a failure counts as one. */
async function answers(url: string, times: number, container = 'glibc'): Promise<ReadonlyMap<string, number>> {
  const call = `curl -sS -m 2 ${url} 2>&1 || true`;
  const text = await rig.sh(container, `for i in $(seq ${times}); do ${call}; done`);
  const counts = new Map<string, number>();
  for (const line of text.split('\n')) counts.set(line, (counts.get(line) ?? 0) + 1);
  return counts;
}
const kindsOf = async (url: string, times: number): Promise<string> =>
  [...(await answers(url, times)).keys()].toSorted().join();
const addressOf = async (name: string): Promise<string> =>
  rig.kubectl(['get', 'service', name, '-o', 'jsonpath={.spec.clusterIP}']);

describe('names', () => {
  it('resolve in both C libraries, by their search domains too', async () => {
    const address = await addressOf('web');
    expect(await rig.sh('musl', 'cat /etc/resolv.conf')).toContain('nameserver 10.96.0.10');
    const lookUp = await rig.sh('musl', 'nslookup kubernetes.default.svc.cluster.local');
    expect(lookUp).toMatch(/Server:\s+10\.96\.0\.10[^]*Address(?: 1)?: 10\.96\.0\.1\b/);
    expect(await rig.sh('glibc', 'getent hosts web')).toContain(address);
    expect(await rig.sh('glibc', 'getent hosts web.default')).toContain(address);
    expect(await rig.sh('musl', 'wget -q -O - http://web/')).toMatch(/^[abc]$/);
    expect(await rig.sh('glibc', 'getent hosts nothing.default.svc.cluster.local || echo none')).toBe('none');
  });

  it('are looked for by musl where the gate runs', () => expect(hasMusl || process.env['CI'] !== 'true').toBe(true));

  it.runIf(hasMusl).each(['web', 'web.default', 'web.default.svc.cluster.local'])(
    'such as %s, by musl',
    async (name) => {
      expect(await rig.sh('musl', `getent hosts ${name}`)).toBe(`${await addressOf('web')} ${name}`);
    },
  );

  it('of a headless Service are its endpoints', async () => {
    const metadata = { name: 'headless', namespace: 'default' };
    const addresses = [{ ip: '10.244.7.1' }, { ip: '10.244.7.2' }];
    await rig.apply(service('headless', { clusterIP: 'None', ports: [{ port: 80 }] }), {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata,
      subsets: [{ addresses, ports: [{ port: 80 }] }],
    });
    const found = await until(
      'headless',
      () => rig.sh('glibc', 'getent ahostsv4 headless | cut -d" " -f1 | sort -u'),
      (text) => text.includes('.2'),
      10_000,
    );
    expect(found.split('\n')).toEqual(['10.244.7.1', '10.244.7.2']);
    expect(await rig.sh('musl', 'nslookup headless.default.svc.cluster.local')).toMatch(/10\.244\.7\.1/);
  });

  it('outside the cluster come from Azure’s resolver', async () => {
    expect(await rig.sh('glibc', 'getent hosts outside.example')).toContain(rig.gateway);
    expect(await rig.sh('glibc', `curl -sS -m 5 http://outside.example:${names['a']}/`)).toBe('a');
    const slices = ['get', 'endpointslices', '-n', 'kube-system', '-l', 'kubernetes.io/service-name=kube-dns'];
    expect(await rig.kubectl([...slices, '-o', 'jsonpath={..endpoints..addresses}'])).toContain(rig.gateway);
    const version = `curl -sk -m 5 -o /dev/null -w '%{http_code}' https://kubernetes.default.svc/version`;
    expect(await rig.sh('glibc', version)).toBe('401');
  });
});

describe('a Service', () => {
  it('leads to all its endpoints about evenly', async () => {
    const counts = await answers(await addressOf('web'), 90);
    expect([...counts.keys()].toSorted()).toEqual(['a', 'b', 'c']);
    for (const count of counts.values()) expect(count).toBeGreaterThan(12);
  });

  it('loses an endpoint within seconds, refuses at once without any, and has it again', async () => {
    const address = await addressOf('web');
    const { a = 0, b = 0 } = names;
    const becomes = async (ports: readonly number[], expected: RegExp): Promise<string> => {
      await rig.apply(endpoints('web', rig.gateway, ports));
      return until(
        String(expected),
        () => kindsOf(address, 12),
        (kinds) => expected.test(kinds),
        secondsMs,
      );
    };
    expect(await becomes([b], /^b$/)).toBe('b');
    await becomes([], /^(curl: \(7\) Failed[^,]*,?)+$/);
    expect(await becomes([a], /^a$/)).toBe('a');
    await serveAll();
  });

  it('leads to another group, and to the group that asks', async () => {
    await rig.put('site', { site: debian }, rig.inCluster());
    const serving = `perl -MIO::Socket::INET -e '$s=IO::Socket::INET->new(LocalPort=>8080,Listen=>9,ReuseAddr=>1); while ($c=$s->accept) { print $c "from the site\\n"; close $c }'`;
    void rig.sh('site', serving, 60_000).catch(() => undefined);
    const own = await rig.sh('site', 'hostname -i');
    await rig.apply(service('site', { ports: [{ port: 8080 }] }), endpoints('site', own, [8080]));
    const read = `timeout 3 bash -c 'exec 3<>/dev/tcp/site/8080; cat <&3' 2>&1`;
    const reached = (text: string): boolean => text === 'from the site';
    await until('another group', () => rig.sh('glibc', read), reached, secondsMs);
    expect(await rig.sh('site', read)).toBe('from the site');
  });

  it('keeps a client with its endpoint where it is asked to', async () => {
    await rig.apply(
      service('sticky', { ports: [{ port: 80 }], sessionAffinity: 'ClientIP' }),
      endpoints('sticky', rig.gateway, Object.values(names)),
    );
    const address = await addressOf('sticky');
    await until(
      'sticky',
      () => kindsOf(address, 1),
      (kinds) => /^[abc]$/.test(kinds),
      secondsMs,
    );
    expect((await answers(address, 30)).size).toBe(1);
  });

  it('by UDP follows its endpoints, even a flow that is in use', async () => {
    const [one, two] = [await rig.serve('one', 'udp'), await rig.serve('two', 'udp')];
    const spec = { ports: [{ port: 5000, protocol: 'UDP' }] };
    await rig.apply(service('echo', spec), endpoints('echo', rig.gateway, [one], 'UDP'));
    const address = await addressOf('echo');
    // One socket for all packets; each answer is printed.
    const client = `perl -MIO::Socket::INET -e '$|=1; $s=IO::Socket::INET->new(Proto=>"udp",PeerAddr=>"${address}:5000");
      for (1..80) { $s->send("x"); my $r=""; vec($r,fileno($s),1)=1; if (select($r,undef,undef,0.1) && defined $s->recv(my $t,99)) { print $t; select(undef,undef,undef,0.1) } }'`;
    const printed = rig.sh('glibc', client, 30_000);
    await new Promise((resolve) => setTimeout(resolve, 2500));
    await rig.apply(endpoints('echo', rig.gateway, [two], 'UDP'));
    const lines = (await printed).split('\n');
    expect([lines[0], lines.at(-1)]).toEqual(['one', 'two']);
    expect(lines.filter((line, index) => index > 0 && line !== lines[index - 1])).toEqual(['two']);
  });

  it('is one of a hundred with ten endpoints each, within seconds', async () => {
    const all = Array.from({ length: 100 }, (_, index) => `many-${index}`);
    const ports = [...Object.values(names), ...Array.from({ length: 7 }, (_, index) => 20_000 + index)];
    await rig.apply(
      ...all.map((name) => service(name, { ports: [{ port: 80 }] })),
      ...all.map((name) => endpoints(name, rig.gateway, ports)),
    );
    const address = await addressOf('many-99');
    await until(
      'many-99',
      () => kindsOf(address, 8),
      (kinds) => kinds.split(',').some((kind) => /^[abc]$/.test(kind)),
      secondsMs,
    );
    const { a = 0 } = names;
    await rig.apply(...all.map((name) => endpoints(name, rig.gateway, [a])));
    const only = await until(
      'many-99 a',
      () => kindsOf(address, 8),
      (kinds) => kinds === 'a',
      secondsMs,
    );
    expect(only).toBe('a');
  });
});

describe('the network', () => {
  beforeAll(serveAll);

  it('asks Azure’s resolver in a group that names no other, which the knob turns', async () => {
    await rig.put('plain', { plain: busybox });
    expect(await rig.sh('plain', 'cat /etc/resolv.conf')).toContain('nameserver 168.63.129.16');
    expect(await rig.sh('plain', 'nslookup outside.example')).toContain(rig.gateway);
    expect(await rig.sh('plain', 'nslookup www.example.org 2>&1')).toMatch(/NXDOMAIN|can't resolve/);
    await rig.core.state.network.turn({ vnetDns: 'nxdomain' });
    expect(await rig.sh('plain', 'nslookup outside.example 2>&1')).toMatch(/NXDOMAIN|can't resolve/);
    await rig.core.state.network.turn({ vnetDns: 'servfail' });
    expect(await rig.sh('plain', 'nslookup outside.example 2>&1')).toMatch(/SERVFAIL|can't resolve/);
    await rig.core.state.network.turn({ vnetDns: 'zone' });
    expect(await rig.sh('plain', 'nslookup outside.example')).toContain(rig.gateway);
  });

  it('drops what its security rule says, without a word, and lets it pass again', async () => {
    const { a = 0 } = names;
    await rig.core.state.network.turn({ droppedPorts: [a, 53] });
    expect(await rig.sh('glibc', `curl -sS -m 2 http://${rig.gateway}:${a}/; echo $?`)).toMatch(/timed out[^]*28$/);
    expect(await rig.sh('musl', 'timeout 3 nslookup web.default.svc.cluster.local 2>&1; echo $?')).not.toContain(
      '10.96.',
    );
    expect(await rig.sh('plain', 'nslookup outside.example')).toContain(rig.gateway);
    await rig.core.state.network.turn({ droppedPorts: [] });
    expect(await rig.sh('glibc', `curl -sS -m 2 http://${rig.gateway}:${a}/`)).toBe('a');
    expect(await rig.sh('glibc', 'getent hosts web')).toContain('10.96.');
  });

  it('has no Services while init containers run, but with the knob', async () => {
    const address = await addressOf('web');
    const call = `curl -sS -m 2 http://${address}/`;
    const asking = (patient: string): readonly object[] => [
      { name: 'first', properties: { image: debian, command: ['sh', '-c', `${call} ${patient} 2>&1; echo $?`] } },
    ];
    await rig.put('staged', { after: debian }, { ...rig.inCluster(), initContainers: asking('') });
    expect(await rig.container('first').readLogs({ timestamps: false })).toMatch(/\n(?:7|28)\n$/);
    const answered = (kinds: string): boolean => /^[abc]$/.test(kinds);
    await until('the main container', () => rig.sh('after', `${call} 2>&1 || true`), answered, secondsMs);
    await rig.core.state.network.turn({ kubeProxyInInit: true });
    const retries = '--retry 9 --retry-connrefused --retry-delay 1';
    await rig.put('early', { late: debian }, { ...rig.inCluster(), initContainers: asking(retries) });
    expect(await rig.container('first').readLogs({ timestamps: false })).toMatch(/(?:^|\n)[abc]\n0\n$/);
    await rig.delete('early');
    await rig.delete('staged');
  });
});

describe('without its credential', () => {
  beforeAll(serveAll);

  it('the proxy keeps its last rules, and what is outside goes on', async () => {
    const address = await addressOf('web');
    await rig.kubectl(['delete', 'secret', 'group-proxy', '-n', 'kube-system']);
    await until(
      'refusals',
      () => rig.proxyLog(),
      (log) => log.includes('/api/v1/endpoints answered 401'),
      40_000,
    );
    await rig.apply(endpoints('web', rig.gateway, []));
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(await kindsOf(address, 20)).toBe('a,b,c');
    expect(await rig.sh('glibc', `curl -sS -m 5 http://outside.example:${names['a']}/`)).toBe('a');
  });
});

it('leaves no process behind', async () => {
  for (const program of ['coredns', 'kube-proxy/main.ts'])
    expect(rig.left().some((command) => command.includes(program))).toBe(true);
  await rig.close();
  expect(rig.left()).toEqual([]);
});
