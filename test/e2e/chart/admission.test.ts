/** The admission policies of the chart, on a real API server: who is opted in, and who is warned of what. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refusals } from '../../../infra/cluster/admission/refusals.ts';
import type { ControlPlane } from '../../../infra/local/cluster/control-plane.ts';
import { kubectl } from '../../../infra/local/cluster/kubectl.ts';
import { until } from '../until.ts';
import { ChartWorld, apply, clusterFor, clusterUid, get, namespace, namespaced, release, values } from './chart.ts';
import type { Values } from './chart.ts';
import { refusedPods, unreachable } from './refused-samples.ts';
import { defined } from '../../../shared/core/defined.ts';

let world: ChartWorld;
let cluster: ControlPlane;
let given: Values;

const burst = 'serverless-kubelet.io/burst';
const toleration = {
  key: 'virtual-kubelet.io/provider',
  operator: 'Equal',
  value: 'azure',
  effect: 'NoSchedule',
};

interface PodSpec {
  readonly containers?: readonly { readonly resources?: { readonly requests?: Readonly<Record<string, string>> } }[];
  readonly tolerations?: readonly Readonly<Record<string, unknown>>[];
  readonly affinity?: Readonly<Record<string, unknown>>;
  readonly nodeSelector?: Readonly<Record<string, string>>;
}
interface Pod {
  readonly metadata: { readonly name: string };
  readonly spec: PodSpec;
}

async function upgrade(overrides: Values): Promise<void> {
  const args = ['upgrade', '--install', release, world.chart, '--namespace', namespace];
  const result = await world.run(args, { ...given, ...overrides }, cluster.kubeconfigPath);
  if (result.code !== 0) throw new Error(result.stderr);
}

interface Wanted {
  readonly where?: string;
  readonly label?: string;
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** What the API server would make of a pod. */
async function created({ where = 'plain', label, spec = {}, metadata = {} }: Wanted): Promise<PodSpec> {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: where, labels: label === undefined ? {} : { [burst]: label }, ...metadata },
    spec: { containers: [{ name: 'main', image: 'busybox' }], ...spec },
  };
  const args = ['create', '-f', '-', '--dry-run=server', '-o', 'json'];
  const result = await kubectl(args, { ...cluster.kubectl, input: JSON.stringify(pod) });
  if (result.code !== 0) throw new Error(result.stderr);
  return (JSON.parse(result.stdout) as Pod).spec;
}

/** Without those that every pod gets for a while. */
const own = ({ tolerations = [] }: PodSpec) =>
  tolerations.filter(({ key }) => typeof key !== 'string' || !key.startsWith('node.kubernetes.io/'));

const isOptedIn = async (wanted: Wanted): Promise<boolean> => own(await created(wanted)).length === 1;

beforeAll(async () => {
  world = await ChartWorld.build();
  cluster = await clusterFor(world);
  given = values(await clusterUid(cluster));
  const runtimeClass = {
    apiVersion: 'node.k8s.io/v1',
    kind: 'RuntimeClass',
    metadata: { name: 'sandbox' },
    handler: 'a',
  };
  await apply(cluster, [
    namespaced(namespace, { [burst]: 'true' }),
    namespaced('plain'),
    namespaced('burst', { [burst]: 'true' }),
    runtimeClass,
  ]);
  await apply(cluster, [namespaced('kube-system', { [burst]: 'true' })]);
  await until(
    'the accounts',
    () =>
      created({ where: 'burst' }).then(
        () => true,
        () => false,
      ),
    (there) => there,
  );
});

afterAll(async () => {
  await cluster?.stop();
  world?.remove();
});

const node = (operator: string) => ({ key: 'type', operator, values: ['virtual-kubelet'] });
const preference = { weight: 100, preference: { matchExpressions: [node('NotIn')] } };
const mine = { weight: 1, preference: { matchExpressions: [{ key: 'disk', operator: 'Exists' }] } };
const terms = [
  { matchExpressions: [{ key: 'disk', operator: 'Exists' }] },
  { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['a'] }] },
];

describe('optIn.mode off', () => {
  it('leaves every pod as it is', async () => {
    await upgrade({ optIn: { mode: 'off' } });
    expect(await isOptedIn({ where: 'burst', label: 'true' })).toBe(false);
    const policies = await get<{ items: readonly object[] }>(cluster, 'mutatingadmissionpolicies');
    expect(policies.items).toEqual([]);
  });
});

describe('optIn.mode prefer', () => {
  it('is in force', async () => {
    await upgrade({ optIn: { mode: 'prefer' } });
    const isThere = await until(
      'the policy',
      () => isOptedIn({ where: 'burst' }),
      (is) => is,
    );
    expect(isThere).toBe(true);
  });

  const owner = (kind: string, apiVersion: string) => ({
    ownerReferences: [{ apiVersion, kind, name: 'o', uid: '1', controller: true }],
  });
  it.each<[string, Wanted, boolean]>([
    ['a pod in a namespace with the label', { where: 'burst' }, true],
    ['a pod with the label', { label: 'true' }, true],
    ['a pod with another value of it', { label: 'yes' }, false],
    ['a pod that stays out of its namespace', { where: 'burst', label: 'false' }, false],
    ['a pod without any label', {}, false],
    ["a ReplicaSet's pod", { where: 'burst', metadata: owner('ReplicaSet', 'apps/v1') }, true],
    ["a DaemonSet's pod", { where: 'burst', metadata: owner('DaemonSet', 'apps/v1') }, false],
    ['a pod that is bound already', { where: 'burst', spec: { nodeName: 'vm-1' } }, false],
    ['a pod of kube-system', { where: 'kube-system', label: 'true' }, false],
    ["a pod of the release's namespace", { where: namespace, label: 'true' }, false],
  ])('%s: %o is opted in: %s', async (_name, wanted, expected) => {
    expect(await isOptedIn(wanted)).toBe(expected);
  });

  it('adds the toleration and a preference for real nodes', async () => {
    const spec = await created({ where: 'burst' });
    expect(own(spec)).toEqual([toleration]);
    expect(spec.affinity).toEqual({
      nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [preference] },
    });
    expect(spec.nodeSelector).toBeUndefined();
  });

  it('keeps what the pod has, and adds nothing twice', async () => {
    const other = { key: 'gpu', operator: 'Exists' };
    const podAffinity = { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'zone' }] };
    const required = { nodeSelectorTerms: terms };
    const nodeAffinity = (preferred: readonly object[]) => ({
      preferredDuringSchedulingIgnoredDuringExecution: preferred,
      requiredDuringSchedulingIgnoredDuringExecution: required,
    });
    const affinity = { podAffinity, nodeAffinity: nodeAffinity([mine]) };
    const spec = await created({ where: 'burst', spec: { tolerations: [other], affinity } });
    expect(own(spec)).toEqual([other, toleration]);
    expect(spec.affinity).toMatchObject({ podAffinity, nodeAffinity: nodeAffinity([mine, preference]) });
    const again = await created({ where: 'burst', spec: { tolerations: own(spec), affinity: spec.affinity } });
    expect({ ...again, tolerations: own(again) }).toMatchObject({ tolerations: own(spec), affinity: spec.affinity });
    expect(own(await created({ where: 'burst', spec: { tolerations: [{ operator: 'Exists' }] } }))).toHaveLength(1);
  });

  it('reaches the pods of a Deployment, and not those of a DaemonSet', async () => {
    const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'main', image: 'busybox' }] } };
    const selector = { matchLabels: { app: 'a' } };
    const workload = (kind: string) => ({
      apiVersion: 'apps/v1',
      kind,
      metadata: { name: kind.toLowerCase(), namespace: 'burst' },
      spec: { selector, template },
    });
    await apply(cluster, [
      { apiVersion: 'v1', kind: 'Node', metadata: { name: 'vm-1' } },
      workload('Deployment'),
      workload('DaemonSet'),
    ]);
    const pods = await until(
      'a pod of each',
      () => get<{ items: readonly Pod[] }>(cluster, 'pods', '--namespace', 'burst'),
      ({ items }) => items.length === 2,
    );
    const optedIn = pods.items.map(({ metadata, spec }) => [
      metadata.name.split('-')[0],
      spec.tolerations?.some(({ key }) => key === toleration.key),
    ]);
    expect(Object.fromEntries(optedIn)).toEqual({ deployment: true, daemonset: false });
  });
});

describe('optIn.mode always', () => {
  it('is in force', async () => {
    await upgrade({ optIn: { mode: 'always' } });
    const isRequired = async (): Promise<boolean> =>
      JSON.stringify(await created({ where: 'burst' })).includes('requiredDuringScheduling');
    expect(await until('the policy', isRequired, (is) => is)).toBe(true);
  });

  const required = (nodeSelectorTerms: readonly object[]) => ({
    nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } },
  });

  it('adds the toleration and the requirement', async () => {
    const spec = await created({ where: 'burst' });
    expect(own(spec)).toEqual([toleration]);
    expect(spec.affinity).toEqual(required([{ matchExpressions: [node('In')] }]));
  });

  it('adds the requirement to each of the alternatives that the pod has, once', async () => {
    const spec = await created({ where: 'burst', spec: { affinity: required(terms) } });
    expect(spec.affinity).toEqual(
      required([
        { matchExpressions: [{ key: 'disk', operator: 'Exists' }, node('In')] },
        { matchExpressions: [node('In')], matchFields: terms[1]?.matchFields },
      ]),
    );
    const again = await created({ where: 'burst', spec: { affinity: spec.affinity } });
    expect(again.affinity).toEqual(spec.affinity);
  });

  const container = (name: string, resources?: object) => ({
    name,
    image: 'busybox',
    ...defined({ resources }),
  });
  it.each<readonly [string, readonly (object | undefined)[], readonly (object | undefined)[]]>([
    ['one that states nothing', [undefined], [{ cpu: '1', memory: '1G' }]],
    ['one with empty resources', [{}], [{ cpu: '1', memory: '1G' }]],
    [
      'three that state nothing',
      [undefined, undefined, {}],
      [
        { cpu: '800m', memory: '800M' },
        { cpu: '100m', memory: '100M' },
        { cpu: '100m', memory: '100M' },
      ],
    ],
    [
      'one of two',
      [{ requests: { cpu: '300m' } }, undefined],
      [
        { cpu: '300m', memory: '900M' },
        { cpu: '700m', memory: '100M' },
      ],
    ],
    [
      'beside one that fills a group',
      [{ requests: { cpu: '4', memory: '8Gi' } }, {}],
      [
        { cpu: '4', memory: '8Gi' },
        { cpu: '100m', memory: '100M' },
      ],
    ],
    ['limits are requests', [{ limits: { cpu: '2', memory: '64Mi' } }], [{ cpu: '2', memory: '64Mi' }]],
    [
      'other requests stay',
      [{ requests: { 'ephemeral-storage': '1Gi' } }],
      [{ 'ephemeral-storage': '1Gi', cpu: '1', memory: '1G' }],
    ],
  ])('sets what ACI takes for containers that state nothing: %s', async (_, stated, expected) => {
    const containers = stated.map((resources, index) => container(`c${String(index)}`, resources));
    const spec = await created({ where: 'burst', spec: { containers } });
    expect(spec.containers?.map(({ resources }) => resources?.requests)).toEqual(expected);
    const complete = expected.map((requests, index) => container(`c${String(index)}`, { requests }));
    const again = await created({ where: 'burst', spec: { containers: complete } });
    expect(again.containers?.map(({ resources }) => resources?.requests)).toEqual(expected);
  });

  it('sets none for a pod that stays out, and none when the values say so', async () => {
    expect((await created({ where: 'plain' })).containers?.[0]?.resources?.requests).toBeUndefined();
    await upgrade({ optIn: { mode: 'always', defaultRequests: false } });
    const isLeft = async (): Promise<boolean> =>
      (await created({ where: 'burst' })).containers?.[0]?.resources?.requests === undefined;
    expect(await until('the policy', isLeft, (is) => is)).toBe(true);
  });

  it('adds none to a pod that selects the nodes itself', async () => {
    const nodeSelector = { type: 'virtual-kubelet' };
    expect((await created({ where: 'burst', spec: { nodeSelector } })).affinity).toBeUndefined();
  });
});

const prefix = /^Warning: Validation failed for ValidatingAdmissionPolicy '[^']+' with binding '[^']+': /;

/** What the policy says at `kubectl apply` of objects; nothing is refused. */
async function warnings(items: readonly object[], where = 'plain'): Promise<readonly string[]> {
  const result = await apply(cluster, items, '--dry-run=server', '--namespace', where);
  expect(result.stderr.split('\n').filter((line) => line.startsWith('Error'))).toEqual([]);
  expect(result.code).toBe(0);
  const lines = result.stderr.split('\n').filter((line) => prefix.test(line));
  return lines.map((line) => line.replace(prefix, ''));
}

describe('warnings', () => {
  it('name each field that the compatibility table refuses', async () => {
    const seen = await warnings(refusedPods);
    const missing = refusals().filter(
      ({ path, reason }) => !unreachable.includes(path) && !seen.some((line) => line.endsWith(`${path}: ${reason}`)),
    );
    expect(missing.map(({ path }) => path)).toEqual([]);
  });

  const refused = {
    hostNetwork: true,
    containers: [{ name: 'web', image: 'busybox', securityContext: { privileged: true } }],
  };
  const metadata = { labels: { app: 'a' } };
  const template = { metadata, spec: { ...refused, nodeSelector: { type: 'virtual-kubelet' } } };
  const selector = { matchLabels: { app: 'a' } };
  const job = { template: { ...template, spec: { ...template.spec, restartPolicy: 'Never' } } };
  const workload = (apiVersion: string, kind: string, spec: object) => ({
    apiVersion,
    kind,
    metadata: { name: 'w' },
    spec,
  });

  it.each([
    ['v1', 'Pod', template.spec, ''],
    ['apps/v1', 'Deployment', { selector, template }, 'spec.template.'],
    ['apps/v1', 'ReplicaSet', { selector, template }, 'spec.template.'],
    ['apps/v1', 'StatefulSet', { selector, serviceName: 'w', template }, 'spec.template.'],
    ['batch/v1', 'Job', job, 'spec.template.'],
    ['batch/v1', 'CronJob', { schedule: '* * * * *', jobTemplate: { spec: job } }, 'spec.jobTemplate.spec.template.'],
  ])('%s %s: each field once, by its path', async (apiVersion, kind, spec, place) => {
    expect(await warnings([workload(apiVersion, kind, spec)])).toEqual([
      `${place}spec.hostNetwork: there is no host to share it with`,
      `${place}spec.containers[web].securityContext.privileged: ACI runs no privileged containers`,
    ]);
  });

  const pod = (spec: object, more: object = {}) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'w', ...more },
    spec: { ...refused, ...spec },
  });
  it.each<[string, object, string, number]>([
    ['a pod that selects the nodes', pod({ nodeSelector: { type: 'virtual-kubelet' } }), 'plain', 2],
    ['a pod that tolerates the taint', pod({ tolerations: [toleration] }), 'plain', 2],
    ['a pod that tolerates everything', pod({ tolerations: [{ operator: 'Exists' }] }), 'plain', 2],
    ['a pod that tolerates another taint', pod({ tolerations: [{ key: 'a', operator: 'Exists' }] }), 'plain', 0],
    ['a pod with the label', pod({}, { labels: { [burst]: 'true' } }), 'plain', 2],
    ['a pod in a namespace with the label', pod({}), 'burst', 2],
    ['an ordinary pod', pod({}), 'plain', 0],
    [
      'a pod that a controller makes',
      pod(
        { tolerations: [toleration] },
        { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'a', uid: '1', controller: true }] },
      ),
      'plain',
      0,
    ],
    [
      'a pod that asks for nothing special',
      { ...pod({}), spec: { ...template.spec, hostNetwork: false, containers: [{ name: 'web', image: 'busybox' }] } },
      'plain',
      0,
    ],
    [
      'a pod that mounts a folder of an emptyDir, and all of a ConfigMap',
      {
        ...pod({}),
        spec: {
          ...template.spec,
          hostNetwork: false,
          volumes: [
            { name: 'tmp', emptyDir: {} },
            { name: 'conf', configMap: { name: 'a' } },
          ],
          containers: [
            {
              name: 'web',
              image: 'busybox',
              volumeMounts: [
                { name: 'tmp', mountPath: '/a', subPath: 'a' },
                { name: 'conf', mountPath: '/b', subPath: './' },
              ],
            },
          ],
        },
      },
      'plain',
      0,
    ],
  ])('%s: %o in %s gets %i', async (_name, item, where, count) => {
    expect(await warnings([item], where)).toHaveLength(count);
  });

  it('can be turned off', async () => {
    await upgrade({ warnings: { enabled: false } });
    const lines = await until(
      'no warning',
      () => warnings([pod({ tolerations: [toleration] })]),
      (now) => now.length === 0,
    );
    expect(lines).toEqual([]);
  });
});
