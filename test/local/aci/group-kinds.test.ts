import { describe, expect, it } from 'vitest';
import { containerBody, createBench, groupBody, groupsPath, subscription } from './harness.ts';
import type { Answer, Bench } from './harness.ts';

const subnet = `/subscriptions/${subscription}/resourceGroups/n/providers/Microsoft.Network/virtualNetworks/v/subnets/s`;
const sized = (cpu: number, memoryInGB: number): object => ({
  containers: [containerBody('c', { resources: { requests: { cpu, memoryInGB } } })],
});
const codeOf = ({ status, body }: Answer): readonly unknown[] => [status, body.error?.code];
const isAccepted = async (body: object): Promise<boolean> => (await createBench().put('g', body)).status === 201;

describe('Spot', () => {
  const spot = (properties: object = {}, envelope: object = {}): object =>
    groupBody({ priority: 'Spot', ...properties }, envelope);

  it('is shown, counts no cores of the quota, and may have 4 cores and 16 GB', async () => {
    const bench = createBench({ knobs: { quota: { containerGroups: 100, standardCores: 1 } } });
    const { status, body } = await bench.put('g', spot(sized(4, 16)));
    expect([status, body.properties['priority'], body.properties['sku']]).toEqual([201, 'Spot', 'Standard']);
    expect((await bench.put('h')).status).toBe(201);
  });

  const inbound = 'SpotPriorityContainerGroupNotSupportedForInboundConnectivity';
  it.each<[string, object, string]>([
    ['an address', spot({ ipAddress: { type: 'Public', ports: [{ port: 1 }] } }), inbound],
    ['a subnet', spot({ subnetIds: [{ id: subnet }] }), inbound],
    ['a zone', spot({}, { zones: ['1'] }), 'InvalidRequestContent'],
    ['sku Confidential', spot({ sku: 'Confidential' }), 'SpotPriorityContainerGroupNotSupportedInSku'],
    ['sku Dedicated', spot({ sku: 'Dedicated' }), 'SpotPriorityContainerGroupNotSupportedInSku'],
    ['5 cores', spot(sized(5, 16)), 'ResourceRequestsNotSupported'],
    ['16.1 GB', spot(sized(4, 16.1)), 'ResourceRequestsNotSupported'],
  ])('is refused with %s', async (_, body, code) => {
    expect(codeOf(await createBench().put('g', body))).toEqual([400, code]);
  });
});

describe('sku', () => {
  const ccePolicy = Buffer.from('package policy').toString('base64');
  const confidential = (properties: object = {}): object => groupBody({ sku: 'Confidential', ...properties });
  const policyOf = (answer: Answer): unknown => answer.body.properties['confidentialComputeProperties'];

  it('Confidential shows the policy that was sent, or the service’s', async () => {
    const bench = createBench();
    const sent = await bench.put('g', confidential({ confidentialComputeProperties: { ccePolicy } }));
    expect([sent.body.properties['sku'], policyOf(sent)]).toEqual(['Confidential', { ccePolicy }]);
    const filled = await bench.put('h', confidential());
    expect(policyOf(filled)).toEqual({ ccePolicy: expect.stringMatching(/^[A-Za-z0-9+/]{8,}={0,2}$/) });
    expect(policyOf(await bench.get('h'))).toEqual(policyOf(filled));
  });

  it('Confidential may have 31 cores and 180 GB, Standard 240', async () => {
    expect(await isAccepted(confidential(sized(31, 180)))).toBe(true);
    expect(await isAccepted(confidential(sized(31, 180.1)))).toBe(false);
    expect(await isAccepted(groupBody({ sku: 'Standard', ...sized(31, 240) }))).toBe(true);
  });

  it('other than Standard counts no cores of the quota', async () => {
    const bench = createBench({ knobs: { quota: { containerGroups: 100, standardCores: 1 } } });
    expect((await bench.put('g', confidential(sized(4, 4)))).status).toBe(201);
    expect((await bench.put('h', groupBody({ sku: 'Dedicated', ...sized(4, 4) }))).status).toBe(201);
  });

  it.each<[string, object, string]>([
    ['an unknown one', groupBody({ sku: 'Premium' }), 'InvalidRequestContent'],
    [
      'a policy that is not base64',
      confidential({ confidentialComputeProperties: { ccePolicy: 'package policy' } }),
      'InvalidCcePolicy',
    ],
    ['an empty policy', confidential({ confidentialComputeProperties: { ccePolicy: '' } }), 'InvalidCcePolicy'],
  ])('is refused: %s', async (_, body, code) => {
    expect(codeOf(await createBench().put('g', body))).toEqual([400, code]);
  });

  it('Confidential is refused in a region that has it not', async () => {
    const bench = createBench({ knobs: { confidentialLocations: ['East US'] } });
    expect(codeOf(await bench.put('g', confidential()))).toEqual([400, 'ConfidentialContainerGroupSkuIsNotSupported']);
    const there = groupBody({ sku: 'Confidential' }, { location: 'eastus' });
    expect((await bench.put('g', there)).status).toBe(201);
  });
});

describe('logs of a workspace', () => {
  const logAnalytics = {
    workspaceId: '99999999-9999-4999-8999-999999999999',
    logType: 'ContainerInstanceLogs',
    metadata: { pod: 'p' },
  };
  const workspaceKey = 'aHVzaA==';
  const logging = (changes: object = {}): object =>
    groupBody({ diagnostics: { logAnalytics: { ...logAnalytics, workspaceKey, ...changes } } });

  it('are shown without the key', async () => {
    const bench = createBench();
    const put = await bench.put('g', logging());
    expect(put.body.properties['diagnostics']).toEqual({ logAnalytics });
    expect((await bench.get('g')).body.properties['diagnostics']).toEqual({ logAnalytics });
  });

  it.each<[string, object]>([
    ['no key, as after a GET', { workspaceKey: undefined }],
    ['an unknown type', { logType: 'Syslog' }],
    ['metadata that are no text', { metadata: { n: 1 } }],
  ])('are refused with %s', async (_, changes) => {
    expect(codeOf(await createBench().put('g', logging(changes)))).toEqual([400, 'InvalidRequestContent']);
  });
});

describe('a DNS name label', () => {
  const labelled = (dnsNameLabel: string, rest: object = {}, envelope: object = {}): object =>
    groupBody({ ipAddress: { type: 'Public', ports: [{ port: 80 }], dnsNameLabel, ...rest } }, envelope);
  const nameOf = (answer: Answer): string => answer.body.properties.ipAddress.fqdn;

  it.each([400, 409] as const)('belongs to one group of a region until it is deleted (%i)', async (dnsLabelStatus) => {
    const bench = createBench({ knobs: { dnsLabelStatus } });
    expect(nameOf(await bench.put('a', labelled('label')))).toBe('label.westeurope.azurecontainer.io');
    const second = await bench.put('b', labelled('label'));
    expect(codeOf(second)).toEqual([dnsLabelStatus, 'DnsNameLabelNotAvailable']);
    expect(second.body.error.message).toBe(
      "The DNS name label 'label' in container group 'b' not available. Try using a different label.",
    );
    const elsewhere = await bench.put('c', labelled('label', {}, { location: 'eastus' }));
    expect(nameOf(elsewhere)).toBe('label.eastus.azurecontainer.io');
    await bench.delete('a');
    expect((await bench.put('b', labelled('label'))).status).toBe(201);
  });

  it('stays with its group over a PUT, and can be changed', async () => {
    const bench = createBench();
    await bench.running('a', labelled('label'));
    await bench.running('a', labelled('label'));
    expect(nameOf(await bench.put('a', labelled('label-2')))).toBe('label-2.westeurope.azurecontainer.io');
    expect((await bench.put('b', labelled('label'))).status).toBe(201);
  });

  const scopes = ['TenantReuse', 'SubscriptionReuse', 'ResourceGroupReuse'];
  it.each(scopes)('of the scope %s has a hash, the same each time', async (autoGeneratedDomainNameLabelScope) => {
    const bench = createBench();
    const body = labelled('label', { autoGeneratedDomainNameLabelScope });
    const first = await bench.put('a', body);
    expect(nameOf(first)).toMatch(/^label\.[a-z0-9]{16}\.westeurope\.azurecontainer\.io$/);
    expect(first.body.properties.ipAddress).toMatchObject({ autoGeneratedDomainNameLabelScope });
    expect(codeOf(await bench.put('b', body))).toEqual([400, 'DnsNameLabelNotAvailable']);
    const inOtherGroup = await bench.request('PUT', `${groupsPath.replace('/rg/', '/empty/')}/b`, { body });
    const own = autoGeneratedDomainNameLabelScope === 'ResourceGroupReuse';
    expect(inOtherGroup.status).toBe(own ? 201 : 400);
    await bench.delete('a');
    expect(nameOf(await bench.put('c', body))).toBe(nameOf(first));
  });

  it('of the scope Noreuse has another hash in each group', async () => {
    const bench = createBench();
    const body = labelled('label', { autoGeneratedDomainNameLabelScope: 'Noreuse' });
    const first = await bench.running('a', body);
    expect(nameOf(await bench.put('b', body))).not.toBe(nameOf(first));
    expect(nameOf(await bench.put('a', body))).toBe(nameOf(first));
    await bench.delete('a');
    expect(nameOf(await bench.put('a', body))).not.toBe(nameOf(first));
  });

  it.each<[string, object]>([
    ['4 characters', labelled('four')],
    ['64 characters', labelled('a'.repeat(64))],
    ['a leading digit', labelled('1label')],
    ['a hyphen at the end', labelled('label-')],
    ['upper case', labelled('Label')],
    ['an unknown scope', labelled('label', { autoGeneratedDomainNameLabelScope: 'Global' })],
    ['a private address', labelled('label', { type: 'Private' })],
  ])('is refused with %s', async (_, body) => {
    expect((await createBench().put('g', body)).status).toBe(400);
  });

  it('may have 5 and 63 characters', async () => {
    expect(await isAccepted(labelled('label'))).toBe(true);
    expect(await isAccepted(labelled('a'.repeat(63)))).toBe(true);
  });
});

describe('zones and tags', () => {
  it('one zone is shown, two are refused', async () => {
    const bench = createBench();
    expect((await bench.put('g', groupBody({}, { zones: ['2'] }))).body['zones']).toEqual(['2']);
    expect((await bench.put('h', groupBody({}, { zones: ['1', '2'] }))).status).toBe(400);
  });

  const many = (count: number): object => Object.fromEntries(Array.from({ length: count }, (_, i) => [`t${i}`, 'v']));
  it.each<[string, object, boolean]>([
    ['50 tags', many(50), true],
    ['51 tags', many(51), false],
    ['a name of 512', { ['n'.repeat(512)]: 'v' }, true],
    ['a name of 513', { ['n'.repeat(513)]: 'v' }, false],
    ['an empty name', { '': 'v' }, false],
    ['a name with a slash', { 'example.com/owner': 'v' }, false],
    ['a value of 256', { n: 'v'.repeat(256) }, true],
    ['a value of 257', { n: 'v'.repeat(257) }, false],
    ['a value with a slash', { n: 'a/b' }, true],
  ])('%s: by PUT and by PATCH', async (_, tags, allowed) => {
    const put = async (bench: Bench): Promise<Answer> => bench.put('g', groupBody({}, { tags }));
    expect((await put(createBench())).status).toBe(allowed ? 201 : 400);
    const bench = createBench();
    await bench.put('g');
    const patched = await bench.request('PATCH', `${groupsPath}/g`, { body: { tags } });
    expect(patched.status).toBe(allowed ? 200 : 400);
    expect((await bench.get('g')).body['tags']).toEqual(allowed ? tags : { podUid: 'u1' });
  });
});
