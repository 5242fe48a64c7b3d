import { describe, expect, it } from 'vitest';
import { formatRegistrations, parseRegistrations, parseSettings } from '../../shared/wire/settings.ts';
import { registration, settingsOf } from '../fixtures/settings.ts';

const faultsOf = (environment: Readonly<Record<string, string | undefined>>): readonly string[] => {
  const parsed = parseSettings(environment);
  return parsed.ok ? [] : parsed.faults.map(({ name, expected }) => `${name}: ${expected}`);
};

type Changes = Readonly<Record<string, unknown>>;
const cluster = (changes: Changes = {}, node: Changes = {}): Record<string, unknown> => ({
  ...registration([]),
  nodes: [{ name: 'aci-1', address: '10.0.0.7', ...node }],
  ...changes,
});
const clusters = (...list: readonly unknown[]) => ({ CLUSTERS: JSON.stringify(list) });

describe('settings that are right', () => {
  it('take the defaults of what is absent, and an empty value counts as absent', () => {
    const parsed = parseSettings({ ...settingsOf(), ARM_ENDPOINT: '', UNKNOWN: 'is not ours' });
    expect(parsed.ok && parsed.settings).toMatchObject({
      ARM_ENDPOINT: 'https://management.azure.com',
      SECURITY_POLICY: 'compatible',
      ACI_CREATES_PER_HOUR: 300,
      CLUSTERS: [{ nodes: [{ name: 'aci-1', state: 'active', taint: true, pods: 100 }] }],
    });
  });

  it.each([
    {
      it: 'identity-based storage',
      change: { AzureWebJobsStorage: '', AzureWebJobsStorage__tableServiceUri: 'https://a.table.core.windows.net' },
    },
    { it: 'Entra', change: clusters(cluster({ auth: { kind: 'entra' } })) },
    { it: 'no cluster yet', change: clusters() },
    { it: 'an address of its own', change: { APP_URL: 'https://kubelet.example/' } },
    { it: 'a private address', change: { APP_URL: 'http://172.16.0.1:7071' } },
    {
      it: 'registrations in a blob, read by identity',
      change: { CLUSTERS: '', REGISTRATIONS_URL: 'https://a.blob.core.windows.net/serverless-kubelet/prod.json' },
    },
    {
      it: 'registrations in a blob, read with a SAS',
      change: { REGISTRATIONS_URL: 'https://a.blob.core.windows.net/c/prod.json?sv=2021-12-02&sp=r&sig=x%3D' },
    },
    {
      it: 'registrations in a blob on loopback',
      change: { REGISTRATIONS_URL: 'http://127.0.0.1:10000/devstoreaccount1/c/prod.json?sig=x' },
    },
    {
      it: 'a storage account by its key',
      change: {
        AzureWebJobsStorage:
          'DefaultEndpointsProtocol=https;AccountName=a;AccountKey=a2V5PT0=;EndpointSuffix=core.windows.net',
      },
    },
    {
      it: 'a storage account by its key and its endpoints',
      change: {
        AzureWebJobsStorage:
          'DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;TableEndpoint=http://127.0.0.1:10002/a;',
      },
    },
    {
      it: 'a storage account by a SAS',
      change: {
        AzureWebJobsStorage: 'TableEndpoint=https://a.table.core.windows.net/;SharedAccessSignature=sv=x&sig=y',
      },
    },
    {
      it: 'two nodes at two addresses with one port',
      change: clusters(
        cluster({
          nodes: [
            { name: 'a', address: '10.0.0.1' },
            { name: 'b', address: '10.0.0.2' },
          ],
        }),
      ),
    },
    { it: 'an IPv6 address', change: clusters(cluster({}, { address: 'fd00::7' })) },
  ])('$it', ({ change }) => expect(faultsOf({ ...settingsOf(), ...change })).toEqual([]));
});

const identityId = '/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/pull';
const workspace = { workspaceId: '00000000-0000-4000-8000-000000000001', keySetting: 'INSTALLATION' };

describe('settings that are wrong', () => {
  it('are reported all at once, those that span several too', () => {
    const broken = {
      AZURE_LOCATION: 'West Europe',
      AZURE_SUBSCRIPTION_ID: 'mine',
      CLUSTERS: JSON.stringify([
        cluster(),
        cluster({
          nodes: [
            { name: 'x', address: '10.0.0.1' },
            { name: 'x', address: '10.0.0.1' },
          ],
        }),
      ]),
    };
    expect(faultsOf(broken)).toEqual([
      'INSTALLATION: set it; it is required',
      'AZURE_SUBSCRIPTION_ID: a GUID such as 00000000-0000-0000-0000-000000000000',
      'AZURE_RESOURCE_GROUP: set it; it is required',
      'AZURE_LOCATION: a region such as "westeurope"',
      'AzureWebJobsStorage: a storage connection string, or set AzureWebJobsStorage__tableServiceUri for identity-based access',
      'CLUSTERS[0].auth.setting: the name of a setting that is set',
      'CLUSTERS[1].uid: a cluster that is not registered twice',
      'CLUSTERS[1].auth.setting: the name of a setting that is set',
      'CLUSTERS[1].nodes[1].name: a name that is not used twice in the cluster',
      'CLUSTERS[1].nodes[1].port: a port that no other node of the cluster has at the same address',
    ]);
  });

  it.each([
    ['INSTALLATION', 'Prod', 'a–z'],
    ['INSTALLATION', 'a-', 'last a letter'],
    ['INSTALLATION', 'a'.repeat(25), '1–24'],
    ['AZURE_RESOURCE_GROUP', 'a/b', 'resource group'],
    ['ACI_SUBNET_ID', 'my-subnet', 'resource id'],
    ['ARM_ENDPOINT', 'http://management.azure.com', 'https://'],
    ['APP_URL', 'http://kubelet.example', 'private address only'],
    ['APP_URL', 'http://10.example.com', 'private address only'],
    ['APP_URL', 'https://kubelet.example/?code=x', 'an https:// URL'],
    ['ARM_ENDPOINT', 'management.azure.com', 'https://'],
    ['ARM_CREDENTIAL', 'secret', 'managed-identity'],
    ['AZURE_CLIENT_ID', 'x', 'GUID'],
    ['AzureWebJobsStorage__tableServiceUri', 'http://127.0.0.1', 'https://'],
    ['AzureWebJobsStorage__blobServiceUri', 'http://127.0.0.1', 'https://'],
    ['SECURITY_POLICY', 'none', 'strict'],
    ['ON_CAPACITY_FAIL_AFTER_MINUTES', '-1', 'minutes'],
    ['ON_CAPACITY_FAIL_AFTER_MINUTES', '1.5', 'minutes'],
    ['ACI_CREATES_PER_5_MINUTES', '0', 'from 1'],
    ['ACI_CREATES_PER_HOUR', '00', 'from 1'],
    ['ACI_MAX_GROUP_CPU', '0', 'from 1'],
    ['ACI_MAX_GROUP_MEMORY_GB', 'many', 'gigabytes'],
    ['AzureWebJobsStorage', 'mystorage', 'a storage connection string'],
    ['AzureWebJobsStorage', 'AccountName=a;AccountKey=a2V5', 'a storage connection string'],
    ['AzureWebJobsStorage', 'DefaultEndpointsProtocol=https;AccountName=a;AccountKey=a2V5', 'connection string'],
    ['AzureWebJobsStorage', 'DefaultEndpointsProtocol=https;AccountName=a;EndpointSuffix=x', 'connection string'],
    ['AzureWebJobsStorage', 'DefaultEndpointsProtocol=ftp;AccountName=a;AccountKey=a2V5;EndpointSuffix=x', 'string'],
    ['AzureWebJobsStorage', 'DefaultEndpointsProtocol=https;AccountName=a b;AccountKey=x;EndpointSuffix=x', 'string'],
    ['AzureWebJobsStorage', 'TableEndpoint=https://a.table.core.windows.net/', 'a storage connection string'],
    ['AzureWebJobsStorage', 'TableEndpoint=nowhere;SharedAccessSignature=sig=y', 'a storage connection string'],
    ['REGISTRATIONS_URL', 'prod.json', 'the https:// URL of a blob'],
    ['REGISTRATIONS_URL', 'https://a.blob.core.windows.net/', 'the https:// URL of a blob'],
    ['REGISTRATIONS_URL', 'https://a.blob.core.windows.net/container', 'the https:// URL of a blob'],
    ['REGISTRATIONS_URL', 'https://a.blob.core.windows.net/container/', 'the https:// URL of a blob'],
    ['REGISTRATIONS_URL', 'https://a.blob.core.windows.net/c/b.json?comp=list', 'the https:// URL of a blob'],
    ['REGISTRATIONS_URL', 'https://user:pass@a.blob.core.windows.net/c/b.json', 'the https:// URL of a blob'],
    ['REGISTRATIONS_URL', 'http://a.blob.core.windows.net/c/b.json?sig=x', 'http:// on loopback only'],
    ['REGISTRATIONS_URL', 'http://127.0.0.1:10000/c/b.json', 'with a SAS'],
    ['REGISTRY_PULL_IDENTITIES', '[]', 'a JSON object of registries and identities'],
    ['REGISTRY_PULL_IDENTITIES', '{"bakery.azurecr.io":"pull"}', 'the resource id of a user-assigned identity'],
    [
      'REGISTRY_PULL_IDENTITIES',
      JSON.stringify({ 'ghcr.io': identityId }),
      'login servers of Azure Container Registry',
    ],
    ['LOG_ANALYTICS_WORKSPACES', '{"audit":{"workspaceId":"audit","keySetting":"INSTALLATION"}}', 'the GUID of a'],
    ['LOG_ANALYTICS_WORKSPACES', JSON.stringify({ none: workspace }), 'and not "none"'],
    ['LOG_ANALYTICS_WORKSPACES', JSON.stringify({ ' audit ': workspace }), 'names of 1 to 63 letters'],
    ['LOG_ANALYTICS_WORKSPACES', JSON.stringify({ audit: { ...workspace, logType: 'all' } }), '"ContainerInsights" or'],
    ['CLUSTERS', '{', 'valid JSON'],
    ['CLUSTERS', '{}', 'a JSON array'],
    ['CLUSTERS', 'null', 'a JSON array'],
  ])('%s=%s', (name, value, says) => {
    const faults = faultsOf({ ...settingsOf(), [name]: value });
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(new RegExp(`^${name}(: |\\.)`));
    expect(faults[0]).toContain(says);
  });

  it('lack any registration, and both places for it are named', () => {
    const { CLUSTERS: _, ...rest } = settingsOf();
    const [fault, ...others] = faultsOf(rest);
    expect(others).toEqual([]);
    expect(fault).toMatch(/^REGISTRATIONS_URL: .*CLUSTERS/);
  });

  it.each<[string, unknown, string]>([
    ['a cluster that is no object', 7, 'CLUSTERS[0]: a JSON object'],
    ['no name', cluster({ name: undefined }), 'CLUSTERS[0].name: a name for people'],
    ['a UID that is none', cluster({ uid: 'prod' }), 'CLUSTERS[0].uid: a GUID'],
    ['plain http', cluster({ server: 'http://api' }), 'CLUSTERS[0].server: an https:// URL'],
    ['no server', cluster({ server: undefined }), 'CLUSTERS[0].server: an https:// URL'],
    [
      'an authority that is no PEM',
      cluster({ certificateAuthority: 'MIIC' }),
      'CLUSTERS[0].certificateAuthority: a PEM',
    ],
    ['another kind of auth', cluster({ auth: { kind: 'password' } }), 'CLUSTERS[0].auth.kind: {"kind":"entra"}'],
    ['no auth', cluster({ auth: undefined }), 'CLUSTERS[0].auth: {"kind":"entra"}'],
    ['a version without v', cluster({ version: '1.36' }), 'CLUSTERS[0].version: the API server'],
    ['no relay', cluster({ relay: undefined }), 'CLUSTERS[0].relay: a JSON object'],
    [
      'an account without a namespace',
      cluster({ relay: { audience: 'a', serviceAccount: 'relay' } }),
      'CLUSTERS[0].relay.serviceAccount: "namespace:name"',
    ],
    ['no nodes', cluster({ nodes: [] }), 'CLUSTERS[0].nodes: at least one node'],
    ['nodes missing', cluster({ nodes: undefined }), 'CLUSTERS[0].nodes: at least one node'],
    ['an unknown member', cluster({ region: 'x' }), 'CLUSTERS[0]: only known members; remove "region"'],
    ['a node’s bad name', cluster({}, { name: 'ACI_1' }), 'CLUSTERS[0].nodes[0].name: a node name'],
    ['a node’s bad state', cluster({}, { state: 'gone' }), 'CLUSTERS[0].nodes[0].state: "active"'],
    [
      'a host name for an address',
      cluster({}, { address: 'relay.svc' }),
      'CLUSTERS[0].nodes[0].address: the IP address',
    ],
    ['a port out of range', cluster({}, { port: 70_000 }), 'CLUSTERS[0].nodes[0].port: a port from 1'],
    ['a port that is a text', cluster({}, { port: '10250' }), 'CLUSTERS[0].nodes[0].port: a port number'],
    ['a zone that is none', cluster({}, { zone: '4' }), 'CLUSTERS[0].nodes[0].zone: a zone'],
    [
      'a DNS without servers',
      cluster({ dns: { nameServers: [], domain: 'cluster.local' } }),
      'CLUSTERS[0].dns.nameServers: at least one',
    ],
    [
      'a DNS by name',
      cluster({ dns: { nameServers: ['dns'], domain: 'cluster.local' } }),
      'CLUSTERS[0].dns.nameServers[0]: an IPv4 address',
    ],
    [
      'a DNS without a domain',
      cluster({ dns: { nameServers: ['10.0.0.10'] } }),
      "CLUSTERS[0].dns.domain: the cluster's domain",
    ],
    [
      'a DNS at a ClusterIP without Services',
      cluster({ dns: { nameServers: ['10.0.0.10'], domain: 'cluster.local', viaServices: true } }),
      'CLUSTERS[0].dns.viaServices: false, or set services too',
    ],
    [
      'a range of pods that is none',
      cluster({ services: { clusterCidr: '10.0.0.0', credential: 'services-a' } }),
      'CLUSTERS[0].services.clusterCidr: an IPv4 range',
    ],
    [
      'another Secret for the Services',
      cluster({ services: { clusterCidr: '10.0.0.0/8', credential: 'admin' } }),
      'CLUSTERS[0].services.credential: "services-a"',
    ],
    ['grants that are no list', cluster({ grants: {} }), 'CLUSTERS[0].grants: a list of grants'],
    [
      'a grant for nobody',
      cluster({ grants: [{ identities: [] }] }),
      'CLUSTERS[0].grants[0].namespace: a namespace, or "*"',
    ],
    [
      'a granted identity that is none',
      cluster({ grants: [{ namespace: 'shop', identities: ['pull'] }] }),
      'CLUSTERS[0].grants[0].identities[0]: resource ids of user-assigned identities',
    ],
    [
      'a granted subnet that is none',
      cluster({ grants: [{ namespace: '*', subnets: ['cg'] }] }),
      'CLUSTERS[0].grants[0].subnets[0]: resource ids of subnets, or "none"',
    ],
    [
      'a typo in a grant',
      cluster({ grants: [{ namespace: '*', identity: identityId }] }),
      'CLUSTERS[0].grants[0]: only known members; remove "identity"',
    ],
    ['a bad quantity', cluster({}, { cpu: 'lots' }), 'CLUSTERS[0].nodes[0].cpu: a Kubernetes quantity'],
    ['a number for a quantity', cluster({}, { memory: 400 }), 'CLUSTERS[0].nodes[0].memory: a Kubernetes quantity'],
    ['no pods at all', cluster({}, { pods: 0 }), 'CLUSTERS[0].nodes[0].pods: at least 1'],
    ['labels that are no map', cluster({}, { labels: 'a=b' }), 'CLUSTERS[0].nodes[0].labels: labels and their values'],
  ])('%s', (_, value, says) => {
    const faults = faultsOf({ ...settingsOf(), ...clusters(value) });
    expect(faults.length).toBeGreaterThanOrEqual(1);
    expect(faults[0]).toContain(says);
  });

  it('never show a token that is where the name of its setting should', () => {
    const planted = 'planted-token';
    const faults = faultsOf({ ...settingsOf(), ...clusters(cluster({ auth: { kind: 'token', setting: planted } })) });
    expect(faults).toEqual(['CLUSTERS[0].auth.setting: the name of a setting that is set']);
  });

  it('stay short, however long the names in it are', () => {
    const many = Object.fromEntries([...Array(50).keys()].map((index) => [`${index}${'x'.repeat(5_000)}`, 1]));
    const faults = faultsOf({ ...settingsOf(), ...clusters(cluster(many, { labels: { ['l'.repeat(5_000)]: 1 } })) });
    expect(Math.max(...faults.map((fault) => fault.length))).toBeLessThan(500);
  });

  it('never show a value', () => {
    const planted = 'planted-secret-value';
    const all = Object.fromEntries(Object.keys(settingsOf()).map((name) => [name, planted]));
    const inside = cluster(
      { uid: planted, server: planted, version: planted, auth: { kind: planted }, certificateAuthority: planted },
      { name: `${planted}!`, address: planted, cpu: planted, zone: planted },
    );
    expect([...faultsOf(all), ...faultsOf({ ...settingsOf(), ...clusters(inside) })].join()).not.toContain(planted);
  });
});

describe('registrations of a blob', () => {
  const bad = { clusters: [cluster(), cluster({ version: 'planted' }, { port: 0 })] };

  it('are read as they were written', () => {
    const read = parseRegistrations(JSON.stringify({ clusters: [cluster()] }));
    expect(read).toMatchObject({ ok: true, clusters: [{ nodes: [{ name: 'aci-1', port: 10_250, taint: true }] }] });
    expect(read.ok && parseRegistrations(formatRegistrations(read.clusters))).toEqual(read);
  });

  it.each<[string, unknown, readonly string[]]>([
    ['no object', [], ['registrations: a JSON object']],
    ['no clusters', {}, ['clusters: a JSON array of cluster registrations']],
    ['an unknown member', { clusters: [], nodes: [] }, ['registrations: only known members; remove "nodes"']],
    [
      'wrong members',
      bad,
      [
        'clusters[1].version: the API server\'s version, such as "v1.36.3"',
        'clusters[1].nodes[0].port: a port from 1 to 65535',
      ],
    ],
    [
      'a cluster twice',
      { clusters: [cluster(), cluster()] },
      ['clusters[1].uid: a cluster that is not registered twice'],
    ],
  ])('with %s are reported by the path', (_, body, faults) => {
    const parsed = parseRegistrations(JSON.stringify(body));
    expect(parsed.ok ? [] : parsed.faults.map(({ name, expected }) => `${name}: ${expected}`)).toEqual(faults);
  });

  it('name a setting that must be there when the settings are known', () => {
    const text = JSON.stringify({ clusters: [cluster()] });
    expect(parseRegistrations(text, { PROD_TOKEN: 'a-token' })).toMatchObject({ ok: true });
    expect(parseRegistrations(text, {})).toEqual({
      ok: false,
      faults: [{ name: 'clusters[0].auth.setting', expected: 'the name of a setting that is set' }],
    });
  });
});
