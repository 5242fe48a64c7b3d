import { afterEach, beforeEach, expect, it } from 'vitest';
import { silentProgress } from '../../../infra/cli/progress.ts';
import { dnsObjects, tenthServiceAddress } from '../../../infra/local/cluster/cluster-dns-objects.ts';
import { clusterCorefile } from '../../../infra/local/cluster/cluster-dns.ts';
import { chooseCoreDns } from '../../../infra/local/up/names.ts';

const path = process.env['PATH'];
const lines: string[] = [];
const progress = { ...silentProgress, line: (text: string) => void lines.push(text) };

beforeEach(() => {
  lines.length = 0;
  process.env['PATH'] = '';
});
afterEach(() => {
  process.env['PATH'] = path;
});

it('names are left out in one line where the networks of groups can not be entered', async () => {
  expect(await chooseCoreDns('real', 'engine', progress)).toBeUndefined();
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^no names and Services of the cluster in containers: (?:only root|nsenter .*not found)/);
});

it.each([
  ['embedded', 'engine'],
  ['given', 'engine'],
  ['real', 'process'],
] as const)('a cluster that is %s, with the runtime %s, has none, and nobody misses them', async (kind, runtime) => {
  expect(await chooseCoreDns(kind, runtime, progress)).toBeUndefined();
  expect(lines).toEqual([]);
});

it('kube-dns has the tenth address of the Services, and leads to where CoreDNS listens', () => {
  const serviceAddress = tenthServiceAddress('10.96.0.1');
  const objects = dnsObjects({ serviceAddress, gateway: '10.89.0.1', port: 5300 });
  const metadata = { name: 'kube-dns', namespace: 'kube-system' };
  expect(objects).toContainEqual(
    expect.objectContaining({ kind: 'Service', metadata: expect.objectContaining(metadata) }),
  );
  expect(JSON.stringify(objects)).toContain('"clusterIP":"10.96.0.10"');
  expect(JSON.stringify(objects)).toContain(
    '"addresses":[{"ip":"10.89.0.1"}],"ports":[{"name":"dns","protocol":"UDP","port":5300}',
  );
});

it('CoreDNS asks Azure’s resolver for names outside, where there is one', () => {
  const base = { gateway: '10.89.0.1', port: 53, healthPort: 1, readyPort: 2, kubeconfig: '/k' };
  expect(clusterCorefile({ ...base, upstream: '10.89.0.1:4053' })).toContain('forward . 10.89.0.1:4053');
  expect(clusterCorefile({ ...base, upstream: undefined })).not.toContain('forward');
});
