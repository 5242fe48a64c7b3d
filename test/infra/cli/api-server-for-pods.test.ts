import { describe, expect, it } from 'vitest';
import {
  chooseApiServerForPods,
  describeApiServerForPods,
  isOwnHost,
} from '../../../infra/cli/cluster/api-server-for-pods.ts';
import type { ApiServerForPods } from '../../../infra/cli/cluster/api-server-for-pods.ts';
import { attachOptions, parseAttachWants } from '../../../infra/cli/attach/wants.ts';
import { aksFacts } from '../../../infra/cli/cluster/find-cluster.ts';
import { parseOptions } from '../../../infra/cli/options.ts';

const other = { host: 'other.example', port: 6443 };
const fqdn = { host: 'prod-dns-1.hcp.westeurope.azmk8s.io', port: 443 };
const base = { wanted: undefined, registered: undefined, aksHost: undefined, server: 'https://api.example:6443' };

describe('where pods reach the API server', () => {
  it.each<[string, Parameters<typeof chooseApiServerForPods>[0], ApiServerForPods | undefined]>([
    ['as reported', { ...base, wanted: other, registered: fqdn, aksHost: fqdn.host }, other],
    ['by the Service, as reported', { ...base, wanted: 'service', registered: fqdn, aksHost: fqdn.host }, 'service'],
    ['as registered', { ...base, registered: other, aksHost: fqdn.host }, other],
    ['by the Service, as registered', { ...base, registered: 'service', aksHost: fqdn.host }, 'service'],
    ['by the FQDN of AKS', { ...base, aksHost: fqdn.host }, fqdn],
    ['by the host of the server', base, { host: 'api.example', port: 6443 }],
    ['by its usual port', { ...base, server: 'https://api.example' }, { host: 'api.example', port: 443 }],
    ['by an address', { ...base, server: 'https://10.1.0.4:6443' }, { host: '10.1.0.4', port: 6443 }],
    ['by an IPv6 address', { ...base, server: 'https://[fd00::4]:6443' }, { host: 'fd00::4', port: 6443 }],
    ['is unknown on loopback', { ...base, server: 'https://127.0.0.1:6443' }, undefined],
    ['is unknown on localhost', { ...base, server: 'https://kind.localhost:6443' }, undefined],
    ['is unknown on IPv6 loopback', { ...base, server: 'https://[::1]:6443' }, undefined],
    ['is unknown behind a path', { ...base, server: 'https://rancher.example/k8s/clusters/c-1' }, undefined],
  ])('%s', (_, input, expected) => {
    expect(chooseApiServerForPods(input)).toEqual(expected);
  });

  it.each([
    [undefined, /not known.*--api-server-for-pods/],
    ['service', /Service kubernetes.*as wanted/],
    [fqdn, /at prod-dns-1\.hcp\.westeurope\.azmk8s\.io:443$/],
    [{ host: 'fd00::4', port: 6443 }, /at \[fd00::4\]:6443$/],
  ] as const)('%j is reported in one line', (way, line) => {
    expect(describeApiServerForPods(way, false)).toMatch(line);
    expect(describeApiServerForPods(way, false)).not.toContain('\n');
  });

  it.each([
    [undefined, /Service kubernetes.*reach it as any other Service$/],
    ['service', /Service kubernetes.*reach it as any other Service$/],
    [fqdn, /at prod-dns-1\.hcp\.westeurope\.azmk8s\.io:443$/],
  ] as const)('%j where pods reach Services', (way, line) => expect(describeApiServerForPods(way, true)).toMatch(line));

  it.each(['127.0.0.1', '127.9.9.9', 'localhost', 'LOCALHOST', 'a.localhost', '::1', '::', '0.0.0.0'])(
    '%s is everybody’s own',
    (host) => expect(isOwnHost(host)).toBe(true),
  );
  it.each(['10.0.0.4', 'api.example', 'localhost.example', 'fd00::1', '1.127.0.0'])('%s is not', (host) =>
    expect(isOwnHost(host)).toBe(false),
  );
});

describe('--api-server-for-pods', () => {
  const parsed = (text: string) =>
    parseAttachWants(parseOptions(['--nodes', 'a', '--api-server-for-pods', text], attachOptions)).apiServerForPods;

  it.each<[string, ApiServerForPods]>([
    ['service', 'service'],
    ['api.example', { host: 'api.example', port: 443 }],
    ['api.example:443', { host: 'api.example', port: 443 }],
    ['API.example:6443', { host: 'api.example', port: 6443 }],
    ['10.0.0.4:6443', { host: '10.0.0.4', port: 6443 }],
    ['[fd00::4]:6443', { host: 'fd00::4', port: 6443 }],
    ['fd00::4', { host: 'fd00::4', port: 443 }],
  ])('%s', (text, expected) => expect(parsed(text)).toEqual(expected));

  it.each([
    'https://api.example',
    'api.example/x',
    'api.example:0',
    'api.example:70000',
    'api.example:',
    'a b',
    'me@api.example',
    'localhost',
    '127.0.0.1:6443',
    '::1',
    ':443',
    'api.example?x',
  ])('not %j', (text) => expect(() => parsed(text)).toThrow(/wants HOST\[:PORT\]/));
});

describe('the host of an AKS cluster', () => {
  const privateCluster = { apiServerAccessProfile: { enablePrivateCluster: true } };
  it.each([
    [{ fqdn: 'public.example' }, 'public.example'],
    [{ fqdn: 'public.example', privateFqdn: 'private.example' }, 'public.example'],
    [{ ...privateCluster, fqdn: 'public.example', privateFqdn: 'private.example' }, 'private.example'],
    [{ ...privateCluster, fqdn: null, privateFqdn: 'private.example' }, 'private.example'],
    [{ ...privateCluster, fqdn: 'public.example', privateFqdn: null }, 'public.example'],
    [{ fqdn: null }, undefined],
    [{}, undefined],
  ])('%j', (shown, host) => expect(aksFacts('prod', shown).host).toBe(host));
});
