import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { componentArguments, componentNames, firstServiceAddress } from '../../../infra/local/cluster/components.ts';
import type { ComponentSettings } from '../../../infra/local/cluster/components.ts';
import { ensureCredentials, isCurrent } from '../../../infra/local/cluster/credentials.ts';
import type { Credentials } from '../../../infra/local/cluster/credentials.ts';

let dir = '';
let credentials: Credentials;
let settings: ComponentSettings;
const names = { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] };

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'credentials-'));
  credentials = await ensureCredentials(dir, names);
  settings = {
    credentials,
    etcdDataDir: '/state/etcd',
    etcdPort: 1001,
    etcdPeerPort: 1002,
    apiPort: 1003,
    advertiseAddress: undefined,
    serviceClusterIpRange: '10.96.0.0/16',
    kubeletCaFile: undefined,
    nodeMonitorGracePeriod: '50s',
    controllerManagerKubeconfig: '/state/kcm',
    schedulerKubeconfig: '/state/scheduler',
  };
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('the command lines of the control plane', () => {
  it('begin with the component, which picks it in the binary', () => {
    expect(componentNames.map((name) => componentArguments(name, settings)[0])).toEqual([...componentNames]);
  });

  it('open listeners on loopback only', () => {
    const all = componentNames.flatMap((name) => componentArguments(name, settings));
    const listeners = all.filter((flag) => /^--(listen|bind|advertise-client|secure-port|initial)/.test(flag));
    expect(listeners).toEqual([
      '--listen-client-urls=https://127.0.0.1:1001',
      '--advertise-client-urls=https://127.0.0.1:1001',
      '--listen-peer-urls=https://127.0.0.1:1002',
      '--initial-advertise-peer-urls=https://127.0.0.1:1002',
      '--initial-cluster=local=https://127.0.0.1:1002',
      '--bind-address=127.0.0.1',
      '--secure-port=1003',
      '--secure-port=0',
      '--secure-port=0',
    ]);
  });

  it('have the Node authorizer, NodeRestriction, and nobody anonymous', () => {
    expect(componentArguments('kube-apiserver', settings)).toEqual(
      expect.arrayContaining([
        '--authorization-mode=Node,RBAC',
        '--enable-admission-plugins=NodeRestriction',
        '--anonymous-auth=false',
      ]),
    );
  });

  it('keep the stop signals of pods', () =>
    expect(componentArguments('kube-apiserver', settings)).toContain('--feature-gates=ContainerStopSignals=true'));

  it('keep no endpoints of the API server until there is an address for them', () => {
    const without = componentArguments('kube-apiserver', settings);
    const advertised = componentArguments('kube-apiserver', { ...settings, advertiseAddress: '10.88.0.1' });
    expect(without).toContain('--endpoint-reconciler-type=none');
    expect(advertised.join(' ')).not.toContain('endpoint-reconciler-type');
    expect(advertised).toContain('--advertise-address=10.88.0.1');
  });

  it('verify kubelets by a CA only where one is given', () => {
    expect(componentArguments('kube-apiserver', settings).join(' ')).not.toContain('kubelet-certificate-authority');
    expect(componentArguments('kube-apiserver', { ...settings, kubeletCaFile: '/ca' })).toContain(
      '--kubelet-certificate-authority=/ca',
    );
  });
});

describe('the first address of a Service range', () => {
  it.each([
    ['10.96.0.0/16', '10.96.0.1'],
    ['10.99.3.7/24', '10.99.3.1'],
    ['192.168.255.128/25', '192.168.255.129'],
  ])('of %s is %s', (range, address) => {
    expect(firstServiceAddress(range)).toBe(address);
  });

  it.each(['', '10.96.0.0', 'fd00::/108'])('of "%s" is an error', (range) => {
    expect(() => firstServiceAddress(range)).toThrow(/is no IPv4 range/);
  });
});

describe('credentials', () => {
  it('stay what they are from start to start', async () => {
    expect(await ensureCredentials(dir, names)).toEqual(credentials);
  });

  it('follow the names of the API server, under the same CA', async () => {
    const other = mkdtempSync(join(tmpdir(), 'credentials-'));
    const first = await ensureCredentials(other, names);
    const before = readFileSync(first.apiServer.cert, 'utf8');
    const second = await ensureCredentials(other, { ...names, ipAddresses: ['127.0.0.1', '10.88.0.1'] });
    expect(readFileSync(second.apiServer.cert, 'utf8')).not.toBe(before);
    expect(second.ca).toEqual(first.ca);
    expect(second.admin).toEqual(first.admin);
    rmSync(other, { recursive: true, force: true });
  });

  it('are renewed before they end', () => {
    const request = { commonName: 'kubernetes-admin', usages: ['client'] as const };
    expect(isCurrent(credentials.admin.certPem, request, new Date())).toBe(true);
    expect(isCurrent(credentials.admin.certPem, request, new Date(Date.now() + 340 * 86_400_000))).toBe(false);
  });
});
