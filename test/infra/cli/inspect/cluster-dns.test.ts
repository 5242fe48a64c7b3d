import { describe, expect, it } from 'vitest';
import {
  isServiceAddress,
  parseClusterDomain,
  parseDnsService,
  readClusterDomain,
  readDnsService,
  readReadyEndpoints,
  readServiceRanges,
} from '../../../../infra/cli/inspect/cluster-dns.ts';
import type { ClusterReader } from '../../../../infra/cli/inspect/cluster-reader.ts';
import { read, unreadable } from '../../../../infra/cli/inspect/observed.ts';
import { readServicesSecrets } from '../../../../infra/cli/inspect/services-secrets.ts';

/** A cluster that has just these paths; `undefined` is forbidden. */
const readerOf = (paths: Readonly<Record<string, unknown>>): ClusterReader => ({
  get: (path) => {
    if (!(path in paths)) return Promise.resolve(read(undefined));
    const json = paths[path];
    return Promise.resolve(json === undefined ? unreadable('You may not.') : read({ json }));
  },
  getText: () => Promise.resolve(unreadable('not asked')),
});
const service = (name: string, spec: object) => ({ metadata: { name }, spec });
const home = '/api/v1/namespaces/kube-system';

describe("the Service of the cluster's DNS", () => {
  it.each<[object, string | undefined]>([
    [{ clusterIP: '10.0.0.10' }, '10.0.0.10'],
    [{ clusterIP: 'fd00::a', clusterIPs: ['fd00::a', '10.0.0.10'] }, '10.0.0.10'],
    [{ clusterIP: 'None' }, undefined],
    [{ clusterIP: 'fd00::a' }, undefined],
    [{}, undefined],
  ])('%j', (spec, address) => expect(parseDnsService(service('kube-dns', spec))?.address).toBe(address));

  it('is kube-dns, else the one with its label, else none', async () => {
    const named = { [`${home}/services/kube-dns`]: service('kube-dns', { clusterIP: '10.0.0.10' }) };
    const items = [service('headless', { clusterIP: 'None' }), service('coredns', { clusterIP: '10.0.0.11' })];
    const labelled = { [`${home}/services?labelSelector=k8s-app%3Dkube-dns`]: { items } };
    expect(await readDnsService(readerOf({ ...named, ...labelled }))).toEqual(
      read({ name: 'kube-dns', address: '10.0.0.10' }),
    );
    expect(await readDnsService(readerOf(labelled))).toEqual(read({ name: 'coredns', address: '10.0.0.11' }));
    expect(await readDnsService(readerOf({}))).toEqual(read(undefined));
    expect(await readDnsService(readerOf({ [`${home}/services/kube-dns`]: undefined }))).toEqual(
      unreadable('You may not.'),
    );
  });

  it('has back ends that are ready, or do not say', async () => {
    const path =
      '/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dkube-dns';
    const endpoints = [{ conditions: { ready: true } }, { conditions: { ready: false } }, { conditions: {} }, {}];
    const slices = { items: [{ endpoints }, { endpoints: null }] };
    expect(await readReadyEndpoints(readerOf({ [path]: slices }), 'kube-dns')).toEqual(read(3));
    expect(await readReadyEndpoints(readerOf({ [path]: { items: [] } }), 'kube-dns')).toEqual(read(0));
    expect((await readReadyEndpoints(readerOf({}), 'kube-dns')).kind).toBe('unreadable');
  });
});

describe("the cluster's domain", () => {
  const block = (line: string, zone = '.:53') =>
    `${zone} {\n  errors\n  health {\n    lameduck 5s\n  }\n  ${line}\n}\n`;
  it.each<[string, string | undefined]>([
    [block('kubernetes cluster.local in-addr.arpa ip6.arpa {\n  pods insecure\n  }'), 'cluster.local'],
    [block('kubernetes in-addr.arpa corp.test ip6.arpa'), 'corp.test'],
    [block('kubernetes corp.test. {'), 'corp.test'],
    [block('kubernetes # corp.test'), undefined],
    [block('kubernetes', 'corp.test:53 in-addr.arpa'), 'corp.test'],
    [block('kubernetes {', 'dns://corp.test'), 'corp.test'],
    [block('forward . /etc/resolv.conf'), undefined],
    [block('# kubernetes corp.test'), undefined],
    [block('kubernetes Corp.TEST IN-ADDR.ARPA {'), 'corp.test'],
    [block('kubernetes {$CLUSTER_DOMAIN} in-addr.arpa ip6.arpa {'), undefined],
    [block('kubernetes', '{$CLUSTER_DOMAIN}:53'), undefined],
    [block('kubernetes corp_a.test {'), undefined],
    [block('kubernetes {$CLUSTER_DOMAIN} corp.test {'), 'corp.test'],
    [block(`kubernetes ${'a'.repeat(101)} {`), undefined],
    ['', undefined],
  ])('%j', (corefile, domain) => expect(parseClusterDomain(corefile)).toBe(domain));

  it('is read of CoreDNS, and unknown where that is something else', async () => {
    const path = `${home}/configmaps/coredns`;
    const data = { Corefile: block('kubernetes corp.test {') };
    expect(await readClusterDomain(readerOf({ [path]: { data } }))).toBe('corp.test');
    expect(await readClusterDomain(readerOf({ [path]: {} }))).toBeUndefined();
    expect(await readClusterDomain(readerOf({ [path]: undefined }))).toBeUndefined();
    expect(await readClusterDomain(readerOf({}))).toBeUndefined();
  });
});

describe('ClusterIPs', () => {
  it('have the ranges that the cluster reports, IPv4 alone', async () => {
    const path = '/apis/networking.k8s.io/v1/servicecidrs';
    const items = [{ spec: { cidrs: ['10.0.0.0/16', 'fd00::/108'] } }, { spec: { cidrs: ['10.9.0.0/24'] } }];
    expect(await readServiceRanges(readerOf({ [path]: { items } }))).toEqual(['10.0.0.0/16', '10.9.0.0/24']);
    expect(await readServiceRanges(readerOf({}))).toEqual([]);
    expect(await readServiceRanges(readerOf({ [path]: undefined }))).toEqual([]);
  });
  it('are those that a Service has', async () => {
    const path = '/api/v1/services?fieldSelector=spec.clusterIP%3D10.0.0.10&limit=1';
    const items = [service('kube-dns', { clusterIP: '10.0.0.10' })];
    expect(await isServiceAddress(readerOf({ [path]: { items } }), '10.0.0.10')).toBe(true);
    expect(await isServiceAddress(readerOf({ [path]: { items: [] } }), '10.0.0.10')).toBe(false);
    expect(await isServiceAddress(readerOf({}), '10.0.0.10')).toBe(false);
  });
});

it('the Secrets of Services are seen without what is in them', async () => {
  const path = (name: string) => `/api/v1/namespaces/sk/secrets/${name}`;
  const metadata = { uid: 'u-a', creationTimestamp: '2026-01-01T00:00:00Z' };
  const one = { [path('services-a')]: { metadata, data: { token: 'c2VjcmV0' } } };
  const annotations = { 'serverless-kubelet.io/former-since': '2026-01-02T00:00:00Z' };
  const empty = { [path('services-b')]: { metadata: { uid: 'u-b', annotations } } };
  const seen = { name: 'services-a', uid: 'u-a', hasToken: true, createdMs: Date.parse(metadata.creationTimestamp) };
  expect(await readServicesSecrets(readerOf(one), 'sk')).toEqual(read([seen]));
  expect(await readServicesSecrets(readerOf({ ...one, ...empty }), 'sk')).toEqual(
    read([seen, { name: 'services-b', uid: 'u-b', hasToken: false, createdMs: 0, formerMs: Date.UTC(2026, 0, 2) }]),
  );
  expect(await readServicesSecrets(readerOf({}), 'sk')).toEqual(read([]));
  expect(await readServicesSecrets(readerOf({ [path('services-b')]: undefined }), 'sk')).toEqual(
    unreadable('You may not.'),
  );
});
