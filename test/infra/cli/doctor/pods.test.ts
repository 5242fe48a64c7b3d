import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { ApiAnswer, ApiRequest } from '../../../../infra/cli/cluster/api.ts';
import type { ClusterFault } from '../../../../infra/cli/cluster/cluster-fault.ts';
import { doctorBy } from '../../../../infra/cli/doctor/command.ts';
import { reachPod } from '../../../../infra/cli/doctor/reach-pod.ts';
import { createWorld } from '../../../app/world.ts';
import type { World } from '../../../app/world.ts';
import { clusterUid, registration } from '../../../fixtures/settings.ts';
import { defaultRules, nsgRule } from '../inspect/network/azure.ts';
import { flat, logOf } from '../inspect/pods-reach/worlds.ts';
import { run } from '../run.ts';
import { runOver } from '../status/world-context.ts';
import type { Surroundings } from '../status/world-context.ts';

const doctor = doctorBy(() => Promise.resolve({ facts: { at: 'answered', status: 401 }, aheadSeconds: 1 }), 1);
const home = '/api/v1/namespaces/kube-system/pods';

interface Cluster {
  readonly send: (request: ApiRequest) => ApiAnswer | ClusterFault | undefined;
  /** Method and path of all that changes something, in its order; POST without the reviews. */
  readonly changes: string[];
  /** Pods that are there. */
  readonly pods: Map<string, object>;
  made?: z.infer<typeof made>;
}

const made = z.looseObject({
  metadata: z.object({ name: z.string(), namespace: z.string(), labels: z.record(z.string(), z.string()) }),
  spec: z.looseObject({ nodeSelector: z.record(z.string(), z.string()) }),
});

const answered = (value: object | string): ApiAnswer => ({
  kind: 'answered',
  status: 200,
  text: typeof value === 'string' ? value : JSON.stringify(value),
  serverMs: Date.parse('2026-11-30T12:00:00Z'),
});

interface Behaviour {
  /** Of the pod, by how often it was asked for. */
  readonly status: (asked: number) => object;
  readonly log?: (container: string) => string | ClusterFault;
  readonly create?: ClusterFault;
  readonly labels?: Readonly<Record<string, string>>;
  readonly left?: readonly object[];
}

const wholeLog = (): string => logOf(flat, { hops: {} });
const done = { phase: 'Succeeded' };

/** An API server that knows pods, and what `--pods` asks for besides. */
function clusterOf({ status, log = wholeLog, create, labels, left = [] }: Behaviour): Cluster {
  let asked = 0;
  const change = (method: string, place: string, body: object | undefined): ApiAnswer | ClusterFault => {
    cluster.changes.push(`${method} ${place}`);
    if (method === 'DELETE') {
      cluster.pods.delete(place.split('/').at(-1) ?? '');
      return answered({});
    }
    if (create !== undefined) return create;
    cluster.made = made.parse(body);
    cluster.pods.set(cluster.made.metadata.name, cluster.made);
    return answered(cluster.made);
  };
  const ofPod = (place: string, query: string): ApiAnswer | ClusterFault | undefined => {
    const [, name, isLog] = /\/pods\/(reach-\w+)(\/log)?$/.exec(place) ?? [];
    if (name === undefined) return undefined;
    if (isLog === undefined) return answered({ ...cluster.pods.get(name), status: status(++asked) });
    const said = log(query.replace('container=', ''));
    return typeof said === 'string' ? answered(said) : said;
  };
  const cluster: Cluster = {
    changes: [],
    pods: new Map(),
    send: ({ path, method = 'GET', body }) => {
      const [place = '', query = ''] = path.split('?');
      if (place.endsWith('/subjectaccessreviews'))
        return answered({ kind: 'SubjectAccessReview', status: { allowed: true } });
      if (method !== 'GET') return change(method, place, body);
      if (query.startsWith('labelSelector=app.kubernetes.io')) return answered({ items: left });
      if (path === '/api/v1/namespaces/kube-system' && labels !== undefined)
        return answered({ kind: 'Namespace', metadata: { uid: clusterUid, labels } });
      return ofPod(place, query) ?? (known[path] && answered(known[path]));
    },
  };
  return cluster;
}

const known: Readonly<Record<string, object>> = {
  '/api/v1/namespaces/default/services/kubernetes': {
    metadata: { name: 'kubernetes' },
    spec: { clusterIP: '10.0.0.1', ports: [{ port: 443 }] },
  },
  '/api/v1/namespaces/kube-system/services?labelSelector=k8s-app%3Dkube-dns': {
    items: [{ metadata: { name: 'kube-dns' }, spec: { clusterIP: '10.0.0.10', ports: [{ port: 53 }] } }],
  },
  '/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dkube-dns':
    {
      items: [
        {
          addressType: 'IPv4',
          endpoints: [
            { addresses: ['10.244.0.4'], conditions: { ready: false } },
            { addresses: ['10.244.0.5'], conditions: { ready: true } },
          ],
          ports: [
            { port: 53, protocol: 'UDP' },
            { port: 53, protocol: 'TCP' },
          ],
        },
      ],
    },
};

const subnetId =
  '/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/prod/subnets/pods';

async function newWorld(): Promise<World> {
  const cluster = {
    ...registration([{ name: 'aci-1' }]),
    apiServerForPods: { host: 'api.example', port: 443 },
    dns: flat.dns,
    services: flat.services,
  };
  const world = await createWorld({ settings: { ACI_SUBNET_ID: subnetId, CLUSTERS: JSON.stringify([cluster]) } });
  await world.beat();
  return world;
}

/** As an operator sees it who is logged in. */
const signedIn: Surroundings = {
  source: { kind: 'azure', app: 'kubelet', resourceGroup: 'apps', subscription: undefined },
  az: {
    'account show': { id: 'x', state: 'Enabled', user: { name: 'me@example.com' } },
    'functionapp show': { state: 'Running', identity: null, virtualNetworkSubnetId: null },
    'aks list': [
      {
        id: '/subscriptions/s-1/resourceGroups/clusters/providers/Microsoft.ContainerService/managedClusters/prod',
        name: 'prod',
        resourceGroup: 'clusters',
        fqdn: 'api.example',
        apiServerAccessProfile: { authorizedIpRanges: ['1.1.1.1/32'] },
        networkProfile: { networkPlugin: 'azure', networkPluginMode: 'overlay' },
      },
    ],
    [`network vnet subnet show --ids ${subnetId}`]: {
      addressPrefix: '10.2.0.0/24',
      delegations: [{ serviceName: 'Microsoft.ContainerInstance/containerGroups' }],
      networkSecurityGroup: { id: '/nsg' },
      natGateway: { id: '/nat' },
    },
    'network nsg show': {
      name: 'pods-nsg',
      securityRules: [
        nsgRule('no-dns', 100, { destinationPortRange: '53' }),
        nsgRule('no-api', 110, { destinationAddressPrefix: 'Internet', destinationPortRange: '443' }),
      ],
      defaultSecurityRules: defaultRules,
    },
    'network nat gateway show': { publicIpAddresses: [{ id: '/ip' }] },
    'network public-ip show': { ipAddress: '20.1.1.1' },
  },
};

const checkSchema = z.object({
  checks: z.array(z.object({ name: z.string(), verdict: z.string(), found: z.string(), fix: z.string().optional() })),
});

/** The checks that `--pods` adds. */
async function podChecks(cluster: Cluster, args: readonly string[] = [], around: Surroundings = {}) {
  const shown = await runOver(await newWorld(), doctor, ['--output', 'json', '--pods', ...args], {
    ...around,
    send: cluster.send,
  });
  const { checks } = checkSchema.parse(JSON.parse(shown.stdout));
  return { checks: checks.filter(({ name }) => name.startsWith('prod: pods: ')), shown };
}

describe('doctor --pods', () => {
  it('makes one pod on the node, reads its logs, judges them, and deletes it', async () => {
    const cluster = clusterOf({ status: (asked) => (asked < 3 ? { phase: 'Pending' } : done) });
    const { checks, shown } = await podChecks(cluster);
    expect(checks.map(({ name, verdict }) => `${verdict} ${name.replace('prod: pods: ', '')}`)).toEqual([
      'ok pod',
      'ok ClusterIPs',
      'ok addresses of pods',
      'ok name servers',
      'ok names of the cluster',
      'ok names outside',
      'ok the way out',
      "ok API server's name",
      'ok API server',
      'ok musl and glibc',
      'ok init phase',
    ]);
    expect(checks[0]?.found).toMatch(/^It ran on aci-1, and ended after \d+ s\.$/);
    const name = cluster.made?.metadata.name ?? '';
    expect(name).toMatch(/^reach-[0-9a-f]{8}$/);
    expect(cluster.changes).toEqual([`POST ${home}`, `DELETE ${home}/${name}`]);
    expect(cluster.pods.size).toBe(0);
    expect(shown.stderr).toMatch(/✓ pod reach-\w+ on aci-1 {2}reading its logs/);
  });

  it('asks for what is registered, on that node', async () => {
    const cluster = clusterOf({ status: () => done });
    await podChecks(cluster, ['--outside', 'example.org', '--musl-image', 'registry.example/musl:1']);
    expect(cluster.made).toMatchObject({
      metadata: { labels: { 'app.kubernetes.io/component': 'reach' } },
      spec: {
        nodeSelector: { 'kubernetes.io/hostname': 'aci-1' },
        restartPolicy: 'Never',
        automountServiceAccountToken: false,
        activeDeadlineSeconds: 360,
        initContainers: [{ name: 'init', image: 'registry.example/musl:1' }],
        containers: [
          {
            name: 'musl',
            env: [
              { name: 'REACH_SERVERS', value: '10.0.0.10' },
              { name: 'REACH_CLUSTER_NAME', value: 'kubernetes.default.svc.cluster.local' },
              { name: 'REACH_OUTSIDE', value: 'example.org' },
              { name: 'REACH_SERVICE', value: '10.0.0.1:443' },
              { name: 'REACH_POD', value: '10.244.0.5:53' },
            ],
          },
          { name: 'glibc', image: 'docker.io/library/debian:bookworm-slim' },
        ],
      },
    });
  });

  it('without it nothing is made', async () => {
    const cluster = clusterOf({ status: () => done });
    const shown = await runOver(await newWorld(), doctor, [], { send: cluster.send });
    expect(cluster.changes).toEqual([]);
    expect(shown.stdout).not.toContain('prod: pods: ');
  });

  it('says which hop fails', async () => {
    const broken = { hops: { 'cluster-name': 'failed after 0 s' } };
    const { checks, shown } = await podChecks(clusterOf({ status: () => done, log: () => logOf(flat, broken) }));
    expect(checks.filter(({ verdict }) => verdict !== 'ok').map(({ name }) => name)).toEqual([
      'prod: pods: names of the cluster',
    ]);
    expect(shown.code).toBe(3);
  });

  it.each<[string, object, string, RegExp]>([
    [
      'an image that can not be pulled',
      {
        phase: 'Pending',
        containerStatuses: [
          { name: 'musl', state: { waiting: { reason: 'ContainerCreating' } } },
          { name: 'glibc', state: { waiting: { reason: 'ErrImagePull', message: 'no such image' } } },
        ],
      },
      'The pod did not end in 1s: ErrImagePull: no such image.',
      /--glibc-image/,
    ],
    [
      'a missing credential of the Services',
      {
        phase: 'Pending',
        initContainerStatuses: [
          {
            name: 'init',
            state: { waiting: { reason: 'CreateContainerConfigError', message: 'the Secret is not there' } },
          },
        ],
        containerStatuses: [{ name: 'musl', state: { waiting: { reason: 'PodInitializing' } } }],
      },
      'The pod did not end in 1s: CreateContainerConfigError: the Secret is not there.',
      /attach again/,
    ],
    [
      'no quota',
      { phase: 'Pending', containerStatuses: [{ name: 'musl', state: { waiting: { reason: 'ProviderCapacity' } } }] },
      'The pod did not end in 1s: ProviderCapacity.',
      /quota/,
    ],
    [
      'a node that takes none',
      {
        phase: 'Pending',
        conditions: [
          { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/4 nodes are available.' },
        ],
      },
      'The pod did not end in 1s: Unschedulable: 0/4 nodes are available.',
      /kubectl describe node/,
    ],
    ['nobody who works on it', { phase: 'Pending' }, 'The pod did not end in 1s: Pending.', /log of the app/],
    [
      'a pod that is refused',
      { phase: 'Failed', reason: 'UnsupportedPodSpec', message: 'spec.x: no.' },
      'The pod failed: UnsupportedPodSpec: spec.x: no.',
      /operations\.md/,
    ],
  ])('%s: in the words of the pod', async (_, status, found, fix) => {
    const cluster = clusterOf({ status: () => status });
    const { checks } = await podChecks(cluster, ['--timeout', '1s']);
    expect(checks).toEqual([
      { name: 'prod: pods: pod', verdict: 'failed', found, fix: expect.stringMatching(fix) },
      { name: 'prod: pods: what it reaches', verdict: 'skipped', found: 'It needs the pod.' },
    ]);
    expect(cluster.pods.size).toBe(0);
  });

  it('a pod that the API server refuses is not deleted, and nothing is said of it but why', async () => {
    const create = { kind: 'forbidden', message: 'violates PodSecurity "restricted:latest"' } as const;
    const cluster = clusterOf({ status: () => done, create });
    const { checks } = await podChecks(cluster);
    expect(checks[0]).toMatchObject({
      found: 'The API server does not take the pod: violates PodSecurity "restricted:latest".',
      fix: expect.stringContaining('--pods-namespace'),
    });
    expect(cluster.changes).toEqual([`POST ${home}`]);
  });

  it('a creation without an answer may have made the pod: it is deleted', async () => {
    const cluster = clusterOf({ status: () => done, create: { kind: 'unreachable', why: 'no answer' } });
    await podChecks(cluster);
    expect(cluster.changes).toEqual([`POST ${home}`, expect.stringMatching(/^DELETE .*\/reach-\w+$/)]);
  });

  it('logs that can not be read', async () => {
    const log = (): ClusterFault => ({ kind: 'refused', status: 502, message: 'dial tcp 10.0.0.7:10250: i/o timeout' });
    const cluster = clusterOf({ status: () => done, log });
    const { checks } = await podChecks(cluster);
    expect(checks[0]?.found).toContain('dial tcp 10.0.0.7:10250: i/o timeout');
    expect(checks.map(({ verdict }) => verdict)).toEqual(['failed', 'skipped']);
    expect(cluster.pods.size).toBe(0);
  });

  it('a log of which the end comes later, and one that never comes', async () => {
    let asked = 0;
    const log = (container: string): string => {
      if (container === 'init') return '';
      return ++asked === 1 ? 'sk-reach api ok' : wholeLog();
    };
    const { checks } = await podChecks(clusterOf({ status: () => done, log }));
    expect(checks.filter(({ verdict }) => verdict !== 'ok').map(({ name, found }) => `${name}: ${found}`)).toEqual([
      'prod: pods: init phase: Its log has not what the script says.',
    ]);
  });

  it('Ctrl-C deletes the pod', async () => {
    const interrupted = new AbortController();
    const cluster = clusterOf({
      status: (asked) => {
        if (asked === 2) interrupted.abort();
        return { phase: 'Pending' };
      },
    });
    await expect(podChecks(cluster, [], { signal: interrupted.signal })).rejects.toThrow('aborted');
    expect(cluster.changes).toHaveLength(2);
    expect(cluster.pods.size).toBe(0);
  });

  it('what earlier runs left is taken away; what another run is about is not', async () => {
    const pod = (name: string, phase: string, creationTimestamp: string) => ({
      metadata: { namespace: 'kube-system', name, uid: name, creationTimestamp },
      status: { phase },
    });
    const left = [
      pod('reach-ended', 'Succeeded', '2026-11-30T11:59:00Z'),
      pod('reach-old', 'Pending', '2026-11-30T10:00:00Z'),
      pod('reach-other', 'Running', '2026-11-30T11:59:00Z'),
    ];
    const cluster = clusterOf({ status: () => done, left });
    await podChecks(cluster);
    expect(cluster.changes.slice(0, 3)).toEqual([
      `DELETE ${home}/reach-ended`,
      `DELETE ${home}/reach-old`,
      `POST ${home}`,
    ]);
  });

  it('a namespace that takes restricted pods only', async () => {
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    const elsewhere = clusterOf({ status: () => done, labels });
    await podChecks(elsewhere);
    expect(elsewhere.made?.metadata.namespace).toBe('default');
    expect(elsewhere.made?.spec).not.toHaveProperty('securityContext');
    const asked = clusterOf({ status: () => done, labels });
    await podChecks(asked, ['--pods-namespace', 'kube-system']);
    expect(asked.made).toMatchObject({
      metadata: { namespace: 'kube-system' },
      spec: { securityContext: { runAsNonRoot: true } },
    });
  });

  it('another cluster, or a node that is not there: nothing is made', async () => {
    const cluster = clusterOf({ status: () => done });
    const other = {
      ...cluster,
      send: (request: ApiRequest) =>
        request.path === '/api/v1/namespaces/kube-system'
          ? answered({ kind: 'Namespace', metadata: { uid: '7d5a3c1e-0000-4000-8000-000000000099' } })
          : cluster.send(request),
    };
    expect((await podChecks(other)).checks.map(({ verdict, found }) => `${verdict} ${found}`)).toEqual([
      'skipped It needs your access to the cluster that was attached.',
    ]);
    const { shown } = await podChecks(cluster, ['--node', 'aci-9']);
    expect(shown.stdout).toContain('No registered cluster has a node aci-9.');
    expect(cluster.changes).toEqual([]);
  });
});

describe('doctor --pods, with az', () => {
  it('says of the same ways what Azure has of them, and takes it for the cause', async () => {
    const broken = { hops: { pod: 'failed no answer in 5 s', api: 'failed no answer in 5 s' } };
    const cluster = clusterOf({ status: () => done, log: () => logOf(flat, broken) });
    const { checks, shown } = await podChecks(cluster, [], signedIn);
    const all = checkSchema.parse(JSON.parse(shown.stdout)).checks;
    const after = all.slice(all.findIndex(({ name }) => name === 'clocks') + 1);
    const told = after.filter(({ name }) => !name.startsWith('prod: pods: '));
    expect(told.map(({ verdict, name, found }) => `${verdict} ${name}: ${found}`)).toEqual([
      "failed pods' subnet: outbound rules: pods-nsg denies 443 to the Internet by the rule no-api.",
      expect.stringMatching(/^ok pods' subnet: inbound rules: No rule of pods-nsg is known to deny connections/),
      "ok pods' subnet: way out: By a NAT gateway: 20.1.1.1.",
      "ok app's subnet: exec and attach: The app is in no network of yours: nothing keeps it back.",
      "failed prod: rules of the pods' subnet: pods-nsg denies TCP 53 to 10.244.0.5 (the cluster's DNS) by the rule no-dns; UDP 53 to 10.244.0.5 (the cluster's DNS) by the rule no-dns; 443 to api.example (the API server) by the rule no-api.",
      "failed prod: authorized IP ranges: They do not hold 20.1.1.1, by which the subnet's packets leave.",
    ]);
    expect(checks.find(({ name }) => name.endsWith('addresses of pods'))?.found).toContain('overlay network of prod');
    expect(checks.find(({ name }) => name.endsWith('pods: API server'))?.fix).toContain('1.1.1.1/32,ADDRESS');
  });

  it('skips what the account may not read, and goes on', async () => {
    const { 'aks list': aks, 'network nsg show': nsg, ...az } = signedIn.az ?? {};
    expect([aks, nsg]).not.toContain(undefined);
    const { checks, shown } = await podChecks(clusterOf({ status: () => done }), [], { ...signedIn, az });
    const all = checkSchema.parse(JSON.parse(shown.stdout)).checks;
    const skips = all.filter(({ name, verdict }) => verdict === 'skipped' && /subnet|AKS|ranges/.test(name));
    expect(skips.map(({ name }) => name)).toEqual([
      "pods' subnet: outbound rules",
      "pods' subnet: inbound rules",
      "prod: rules of the pods' subnet",
      'prod: AKS',
    ]);
    expect(checks.filter(({ verdict }) => verdict !== 'ok')).toEqual([]);
  });
});

describe('its options', () => {
  it.each([
    [['--node', 'aci-1'], '--node goes with --pods'],
    [['--pods', '--timeout', 'soon'], '--timeout wants a duration'],
    [['--pods', '--outside', 'https://x/'], '--outside wants the name of a host'],
    [['--pods', '--aks-resource-group', 'x'], '--aks-resource-group goes with --aks'],
  ])('%j: %s', async (args, problem) => {
    const shown = await run(['doctor', '--settings', '/nowhere', ...args]);
    expect({ code: shown.code, stderr: shown.stderr }).toEqual({ code: 2, stderr: expect.stringContaining(problem) });
  });

  it('the help says that it starts a pod', async () => {
    expect((await run(['doctor', '--help'])).stdout).toMatch(/--pods starts a pod for a minute/);
  });
});

describe('the pod', () => {
  it.each([false, true])('is one that groups can be made of; restricted: %s', async (isRestricted) => {
    const pod = reachPod({
      name: 'reach-1',
      namespace: 'default',
      node: 'aci-1',
      images: { musl: 'docker.io/library/alpine:3.20', glibc: 'docker.io/library/debian:bookworm-slim' },
      environment: { REACH_OUTSIDE: 'example.org' },
      deadlineSeconds: 60,
      isRestricted,
    });
    const shown = await run(['explain', '-f', '-', '--output', 'json'], { stdin: JSON.stringify(pod) });
    const { pods } = z
      .object({ pods: z.array(z.looseObject({ verdict: z.string() })) })
      .parse(JSON.parse(shown.stdout));
    expect(pods.map(({ verdict }) => verdict)).not.toContain('refused');
    expect(pods).toHaveLength(1);
  });
});
