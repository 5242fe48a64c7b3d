/** What attach refuses, and what an attach or detach that was cut off anywhere leaves: on a real cluster, without an app. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { tokenKubeconfig } from '../../../infra/local/cluster/kubeconfig.ts';
import { kubectlOutput } from '../../../infra/local/cluster/kubectl.ts';
import { createCertificateAuthority } from '../../../infra/local/pki.ts';
import { until } from '../until.ts';
import { startApiProxy } from './api-proxy.ts';
import type { ApiProxy } from './api-proxy.ts';
import { startCli } from './cli-process.ts';
import type { CliProcess } from './cli-process.ts';
import { startGround } from './rig.ts';
import type { CliResult, Ground } from './rig.ts';
import { readBlob, takeSnapshot } from './world-snapshot.ts';

const namespace = 'serverless-kubelet';
const principal = '11111111-1111-4111-8111-111111111111';
let dir = '';
let ground: Ground;
let proxy: ApiProxy;
/** A kubeconfig that goes through the proxy, as an administrator. */
let proxied = '';
const silent = createServer(() => undefined);
let silentAttach: Promise<CliResult>;

const file = (name: string, text: string): string => {
  const path = join(dir, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
};
const apply = (...items: object[]): Promise<string> =>
  kubectlOutput(['apply', '-f', '-'], {
    ...ground.cluster.kubectl,
    input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
  });
/** The kubeconfig of a ServiceAccount that has a ClusterRole. */
async function userOf(name: string, clusterRole: string, url = ground.cluster.url): Promise<string> {
  const metadata = { name, namespace: 'default' };
  await apply(
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: clusterRole },
      subjects: [{ kind: 'ServiceAccount', ...metadata }],
    },
  );
  const token = await ground.kubectl('create', 'token', name, '-n', 'default');
  return file(`${name}.kubeconfig`, tokenKubeconfig({ url, caPem: ground.cluster.caPem }, name, token.trim()));
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'serverless-kubelet-refused-'));
  ground = await startGround(dir);
  await new Promise<void>((resolve) => {
    silent.listen(0, '127.0.0.1', resolve);
  });
  const { port } = silent.address() as AddressInfo;
  // It takes as long as a time-out takes: beside all others.
  silentAttach = attach(endpoint('silent', `https://127.0.0.1:${port}`));
  proxy = await startApiProxy(ground.cluster);
  proxied = await userOf('administrator', 'cluster-admin', proxy.url);
});
afterAll(async () => {
  await silentAttach;
  silent.close();
  await proxy.stop();
  await ground.stop();
  rmSync(dir, { recursive: true, force: true });
});

const endpoint = (name: string, url: string, caPem = ground.cluster.caPem): string =>
  file(`${name}.kubeconfig`, tokenKubeconfig({ url, caPem }, 'nobody', 'none'));

const attachArgs = (kubeconfig: string, more: readonly string[]): string[] => {
  const given = (name: string, ...value: string[]): string[] => (more.includes(name) ? [] : [name, ...value]);
  const auth = more.includes('--auth') ? [] : ['--auth', 'token'];
  const where = ['--settings', ground.settings, '--kubeconfig', kubeconfig, '--app-url', 'http://127.0.0.1:9'];
  const chart = more.includes('--keep-chart') ? [] : ['--chart', ground.chart];
  const how = [...chart, '--server', ground.cluster.url, '--cluster-name', 'refused'];
  return ['attach', ...where, ...how, ...auth, ...given('--nodes', 'aci-1'), ...given('--wait', 'none'), ...more];
};
/** There is no app: nothing is waited for unless given. */
const attach = (kubeconfig: string, ...more: string[]): Promise<CliResult> =>
  ground.cli(...attachArgs(kubeconfig, more));
const detachArgs = (kubeconfig: string): string[] => [
  'detach',
  '--settings',
  ground.settings,
  '--kubeconfig',
  kubeconfig,
];
const direct = (): string => ground.cluster.kubeconfigPath;
const detach = (): Promise<CliResult> => ground.cli(...detachArgs(direct()), '--output', 'json');

/** What is said besides the progress of steps, and of the app that nobody runs here. */
const said = ({ stderr }: CliResult): string =>
  stderr
    .split('\n')
    .filter((line) => line !== '' && !/^[✓✗…] /.test(line) && !line.startsWith('warning: http://127.0.0.1:9 cannot'))
    .join('\n');
const outcome = (result: CliResult): string => (result.code === 0 ? 'done' : result.stderr);

const readable = [
  'create namespaces, create clusterroles, create clusterrolebindings, create validatingadmissionpolicies',
  'create validatingadmissionpolicybindings',
  ...[
    ['configmaps', 'secrets', 'services', 'serviceaccounts', 'deployments', 'poddisruptionbudgets'],
    ['networkpolicies', 'leases', 'roles', 'rolebindings'],
  ]
    .flat()
    .map((resource) => `create ${resource} in ${namespace}`),
  `create roles in kube-node-lease, impersonate users, get secrets in ${namespace}, get nodes`,
  `create serviceaccounts/token in ${namespace}`,
].join(', ');

interface Refusal {
  readonly name: string;
  readonly kubeconfig?: () => string | Promise<string>;
  readonly args?: () => string[];
  readonly says: RegExp;
}

/** The sentence of the program, from its start. */
const sentence = (text: string): RegExp =>
  new RegExp(`^serverless-kubelet: ${text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)}`);
const unreachable = (why: string): string =>
  `the cluster's API server cannot be reached: ${why}\n  → a private cluster`;
const refusals: readonly Refusal[] = [
  {
    name: 'a user who may only read, with every right that is missing',
    kubeconfig: () => userOf('reader', 'view'),
    says: sentence(`your user may not ${readable} in the cluster\n  → use the kubeconfig of an administrator`),
  },
  {
    name: 'a Kubernetes that is too old',
    kubeconfig: () => {
      const version = { major: '1', minor: '28', gitVersion: 'v1.28.15', platform: 'linux/amd64', goVersion: 'go1.22' };
      proxy.answer((line) => (line === 'GET /version' ? version : undefined));
      return proxied;
    },
    says: sentence(
      'the cluster runs Kubernetes v1.28.15, and 1.30 is the oldest that will do\n  → upgrade it: az aks upgrade',
    ),
  },
  {
    name: 'a closed port',
    kubeconfig: () => endpoint('closed', 'https://127.0.0.1:9'),
    says: sentence(unreachable('the connection is refused')),
  },
  {
    name: 'a login that is not valid (any more)',
    kubeconfig: () => endpoint('expired', ground.cluster.url),
    says: sentence("the cluster does not know the kubeconfig's user\n  → get fresh credentials"),
  },
  {
    name: 'a cluster that was built anew',
    kubeconfig: async () =>
      endpoint('rebuilt', ground.cluster.url, (await createCertificateAuthority('another')).certPem),
    says: sentence("the API server's certificate is not from the authority of the kubeconfig\n  → "),
  },
  {
    name: 'a kubeconfig that is not there',
    kubeconfig: () => join(dir, 'none.kubeconfig'),
    says: sentence('there is no kubeconfig that names a cluster\n  → give one with --kubeconfig FILE, or --aks NAME'),
  },
  {
    name: 'a context that is not there',
    args: () => ['--context', 'none'],
    says: sentence('the kubeconfig has no such context\n  → kubectl config get-contexts lists them'),
  },
  {
    name: "another installation's node",
    args: () => ['--nodes', 'aci-1,theirs'],
    says: sentence(
      'the cluster has a Node theirs already, of the installation neu\n  → choose another name with --nodes',
    ),
  },
  {
    name: 'Entra without the identity',
    args: () => ['--auth', 'entra'],
    says: sentence("with --auth entra the object id of the app's identity is needed, and it is not known\n  → "),
  },
  {
    name: 'cert-manager where there is none',
    args: () => ['--serving', 'cert-manager', '--set', 'serving.issuerRef.name=ca'],
    says: /^serverless-kubelet: values of the chart: serving\.mode: certManager needs cert-manager, .* install it first .*\n {2}→ fix --set or --values$/,
  },
  {
    name: 'cert-manager without an issuer',
    args: () => ['--serving', 'cert-manager'],
    says: /serving\.issuerRef\.name: serving\.mode certManager needs the name of an issuer/,
  },
  {
    name: 'a chart that something else installs, and has not yet',
    args: () => ['--keep-chart'],
    says: sentence(
      'the cluster has no namespace serverless-kubelet, and --keep-chart does not make it\n  → install the chart first, with the values that the same command shows with --dry-run',
    ),
  },
  {
    name: 'values of the wrong type',
    args: () => ['--values', file('type.yaml', 'replicas: many\nimage: {tag: [1]}\n')],
    says: /^serverless-kubelet: values of the chart are of the wrong shape: .*'\/replicas': got string, want integer.*\n {2}→ fix --set/,
  },
  {
    name: 'a value that there is not',
    args: () => ['--values', file('unknown.yaml', 'replica: 3\n')],
    says: /^serverless-kubelet: values of the chart are of the wrong shape: .*'replica' not allowed.*\n {2}→ fix --set/,
  },
  {
    name: 'values that are no YAML',
    args: () => ['--values', file('broken.yaml', 'a: [1\n')],
    says: /^serverless-kubelet: helm: .*broken\.yaml.*\n {2}→ fix --set or --values$/,
  },
  {
    name: 'values that are not there',
    args: () => ['--values', join(dir, 'none.yaml')],
    says: /^serverless-kubelet: helm: .*none\.yaml.*\n {2}→ fix --set or --values$/,
  },
];

describe('attach refuses with a sentence and a fix, and changes nothing', () => {
  let before: Readonly<Record<string, string>> = {};
  beforeAll(async () => {
    const annotations = { 'serverless-kubelet.io/owner': 'neu' };
    await apply({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'theirs', annotations } });
    await userOf('reader', 'view');
    before = await settled();
  });
  it.each(refusals)('$name', async ({ kubeconfig, args, says }) => {
    const result = await attach((await kubeconfig?.()) ?? direct(), ...(args?.() ?? []));
    proxy.answer(() => undefined);
    expect(said(result)).toMatch(says);
    expect(said(result).split('\n')).toHaveLength(2);
    expect(result.code).toBe(2);
  });
  it('a port that takes the connection and never answers', async () => {
    const result = await silentAttach;
    expect(said(result)).toContain(`serverless-kubelet: ${unreachable('it does not answer')}`);
    expect(result.code).toBe(2);
  });
  it('and all is as before', async () => {
    expect(await takeSnapshot(ground.cluster, ground.settings)).toEqual(before);
    await ground.kubectl('delete', 'node', 'theirs');
  });
});

/** The controllers of a new cluster still write for a moment. */
async function settled(): Promise<Readonly<Record<string, string>>> {
  let last = '';
  return until(
    'a cluster at rest',
    () => takeSnapshot(ground.cluster, ground.settings),
    (now) => {
      const isSame = JSON.stringify(now) === last;
      last = JSON.stringify(now);
      return isSame;
    },
  );
}

const crd = (kind: string, plural: string): object => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.cert-manager.io` },
  spec: {
    group: 'cert-manager.io',
    scope: 'Namespaced',
    names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
});
const get = async (...args: string[]): Promise<unknown> =>
  JSON.parse(await ground.kubectl('get', ...args, '-o', 'json'));
const registrations = (): Promise<string> => readBlob(readFileSync(ground.settings, 'utf8'));
const tokens = (): readonly string[] => readFileSync(ground.settings, 'utf8').match(/CLUSTER_TOKEN_\w+/g) ?? [];

describe('a cluster without Entra and without cert-manager itself', () => {
  it('gets the identity as a user, and a Certificate for the issuer', async () => {
    await apply(crd('Certificate', 'certificates'), crd('Issuer', 'issuers'));
    await ground.kubectl('wait', 'crd', '--all', '--for=condition=Established', '--timeout=60s');
    const how = ['--auth', 'entra', '--principal-id', principal, '--serving', 'cert-manager'];
    const attached = await attach(direct(), ...how, '--set', 'serving.issuerRef.name=ca');
    expect(outcome(attached)).toBe('done');
    const address = await ground.kubectl(
      'get',
      'service',
      'relay',
      '-n',
      namespace,
      '-o',
      'jsonpath={.spec.clusterIP}',
    );
    expect(await get('certificate', 'relay', '-n', namespace)).toMatchObject({
      spec: {
        secretName: 'relay',
        commonName: 'system:node:aci-1',
        ipAddresses: [address],
        usages: ['digital signature', 'key encipherment', 'server auth'],
        issuerRef: { name: 'ca', kind: 'Issuer', group: 'cert-manager.io' },
      },
    });
    expect(await get('clusterrolebinding', `${namespace}-app`)).toMatchObject({
      subjects: [{ kind: 'User', name: principal }],
    });
    expect(JSON.parse(await registrations())).toMatchObject({ clusters: [{ auth: { kind: 'entra' } }] });
    expect(tokens()).toEqual([]);
  });
  it('is detached, and nothing is left', async () => {
    const detached = await detach();
    expect(outcome(detached)).toBe('done');
    expect(JSON.parse(detached.stdout)).toMatchObject({ clean: true });
    await ground.kubectl('delete', 'crd', '--all');
  });
});

/** Starts a command, cuts it off when this request is on its way, and lets the request never arrive. */
async function cutOffAt(line: RegExp, args: readonly string[]): Promise<void> {
  const cli = start(args);
  try {
    await comesTo(line, cli);
  } finally {
    await cli.crash();
    proxy.release();
  }
}
/** Resolves when the command's request waits for its answer. */
async function comesTo(line: RegExp, cli: CliProcess): Promise<void> {
  const came = proxy.hold(line).then(() => 'came' as const);
  const first = await Promise.race([came, cli.ended]);
  if (first !== 'came') throw new Error(`ended before ${String(line)}: ${first.stderr}`);
}
const start = (args: readonly string[]): CliProcess => startCli(args, ground.environment);

const releaseSchema = z.looseObject({ info: z.looseObject({ status: z.string() }) });
const secretsSchema = z.object({
  items: z.array(z.object({ metadata: z.object({ name: z.string() }), data: z.object({ release: z.base64() }) })),
});
/** The last record that helm has of the release, unpacked. */
async function lastRecord() {
  const { items } = secretsSchema.parse(await get('secrets', '-n', namespace, '-l', 'owner=helm'));
  const last = items.toSorted((a, b) => a.metadata.name.localeCompare(b.metadata.name)).at(-1);
  if (last === undefined) throw new Error('helm has no release');
  const packed = Buffer.from(Buffer.from(last.data.release, 'base64').toString(), 'base64');
  return { name: last.metadata.name, record: releaseSchema.parse(JSON.parse(gunzipSync(packed).toString())) };
}
const status = async (): Promise<string> => (await lastRecord()).record.info.status;

/** The record as it is an hour later. */
async function anHourLater(): Promise<void> {
  const { name, record } = await lastRecord();
  const info = { ...record.info, last_deployed: new Date(Date.now() - 3_600_000).toISOString() };
  const packed = gzipSync(JSON.stringify({ ...record, info })).toString('base64');
  const release = Buffer.from(packed).toString('base64');
  // Too long for a command line.
  const patch = file('record.json', JSON.stringify({ data: { release } }));
  await ground.kubectl('patch', 'secret', name, '-n', namespace, '--type=merge', '--patch-file', patch);
}

/** An attach that has all as it should be says so, object for object. */
async function expectWhole(...more: string[]): Promise<void> {
  const again = await attach(direct(), ...more);
  expect(outcome(again)).toBe('done');
  expect(again.stdout).toContain('nothing was changed');
  expect(await status()).toBe('deployed');
  expect(tokens()).toHaveLength(1);
}

const underWay = 'another run of helm on this release is under way, or was interrupted a moment ago\n  → run the same';

describe('an attach that is cut off', () => {
  it('before its first change has changed nothing', async () => {
    const before = await settled();
    await cutOffAt(/^POST \/api\/v1\/namespaces$/, attachArgs(proxied, []));
    expect(await takeSnapshot(ground.cluster, ground.settings)).toEqual(before);
  });
  it('amid the installation is refused for two minutes, then fixed', async () => {
    await cutOffAt(/^(POST|PATCH) .*\/deployments/, attachArgs(proxied, []));
    expect(await status()).toBe('pending-install');
    const early = await attach(direct());
    expect(said(early)).toContain(underWay);
    expect(early.code).toBe(1);
    await anHourLater();
    const wrong = await attach(direct(), '--set', 'replicas=many');
    expect(said(wrong)).toContain("at '/replicas': got string, want integer");
    expect([wrong.code, await status()]).toEqual([2, 'pending-install']);
    await cutOffAt(/^POST .*\/serviceaccounts\/app\/token$/, attachArgs(proxied, []));
    expect(await status()).toBe('deployed');
    expect(await registrations()).not.toContain('aci-1');
  });
  it('between the token and the end goes on from there', async () => {
    const cli = start(attachArgs(direct(), []));
    await cli.said('✓ token');
    await cli.crash();
    expect(outcome(await attach(direct()))).toBe('done');
    expect(await registrations()).toContain('aci-1');
    await expectWhole();
  });
  it('amid an upgrade is taken back, and done', async () => {
    const more = ['--nodes', 'aci-1,aci-2'];
    await cutOffAt(/^(PUT|PATCH) .*\/clusterroles\//, attachArgs(proxied, more));
    expect(await status()).toBe('pending-upgrade');
    expect(said(await attach(direct(), ...more))).toContain(underWay);
    await anHourLater();
    expect(outcome(await attach(direct(), ...more))).toBe('done');
    await expectWhole(...more);
  });
  it('by Ctrl-C amid helm goes on at once', async () => {
    const more = ['--nodes', 'aci-1,aci-2', '--set', 'replicas=3'];
    const cli = start(attachArgs(proxied, more));
    await comesTo(/^(PUT|PATCH) .*\/deployments\//, cli);
    cli.interrupt();
    const { code, stderr } = await cli.ended;
    proxy.release();
    expect(stderr).toContain('serverless-kubelet: interrupted; the same command goes on from here\n');
    expect(code).toBe(1);
    expect(outcome(await attach(direct(), ...more))).toBe('done');
    await expectWhole(...more);
  });
  it('by Ctrl-C amid the wait says how to go on', async () => {
    const cli = start(attachArgs(direct(), ['--wait', 'nodes']));
    await cli.said('✓ registration');
    cli.interrupt();
    const { code, stderr } = await cli.ended;
    expect(stderr.trim().split('\n').at(-1)).toBe(
      'serverless-kubelet: interrupted; the same command goes on from here',
    );
    expect(code).toBe(1);
  });
});

/** What the app makes of an active node, and takes away of a removed one. */
const node = (name: string): readonly object[] => [
  {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { type: 'virtual-kubelet' }, annotations: { 'serverless-kubelet.io/owner': 'local' } },
  },
  { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name, namespace: 'kube-node-lease' } },
];
async function takeNodesAway(): Promise<void> {
  for (const kind of ['node', 'lease'])
    await ground.kubectl('delete', kind, 'aci-1', 'aci-2', '-n', 'kube-node-lease', '--ignore-not-found');
}

describe('a detach that is cut off', () => {
  it('amid the drain leaves the nodes draining', async () => {
    await apply(...node('aci-1'), ...node('aci-2'), {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'stays', namespace: 'default' },
      spec: { nodeName: 'aci-1', terminationGracePeriodSeconds: 0, containers: [{ name: 'main', image: 'busybox' }] },
    });
    await cutOffAt(/^POST .*\/pods\/stays\/eviction$/, detachArgs(proxied));
    expect(await registrations()).toContain('"draining"');
    expect(await registrations()).not.toContain('"active"');
    // So that the app may take the cordon back when they are attached again.
    const cordon = '{.items[*].spec.unschedulable} {.items[*].metadata.annotations.serverless-kubelet\\.io/cordoned}';
    const nodes = await ground.kubectl('get', 'nodes', 'aci-1', 'aci-2', '-o', `jsonpath=${cordon}`);
    expect(nodes.trim()).toBe('true true draining draining');
  });
  it('amid the wait for the app leaves them removed', async () => {
    const cli = start(detachArgs(proxied));
    await cli.said('✓ pods');
    await until('removed', registrations, (text) => text.includes('"removed"'));
    await cli.crash();
    expect(await ground.kubectl('get', 'pods', '-n', 'default', '-o', 'name')).toBe('');
    await takeNodesAway();
  });
  it('amid the removal of the chart can still be taken back by attach', async () => {
    await cutOffAt(/^DELETE .*\/clusterroles\//, detachArgs(proxied));
    expect(await status()).toBe('uninstalling');
    const more = ['--nodes', 'aci-1,aci-2'];
    expect(outcome(await attach(direct(), ...more))).toBe('done');
    expect(await registrations()).toContain('"active"');
    await expectWhole(...more);
  });
  it('amid the removal of the namespace: attach does not begin while that goes', async () => {
    const holder = { name: 'holder', namespace, finalizers: ['example.com/held'] };
    await apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: holder });
    const cli = start(detachArgs(proxied));
    const leaving = ['namespace', namespace, '-o', 'jsonpath={.metadata.deletionTimestamp}'];
    await until(
      'a namespace that goes',
      () => ground.kubectl('get', ...leaving),
      (text) => text !== '',
    );
    await cli.crash();
    const refused = await attach(direct());
    expect(said(refused)).toContain(`the namespace ${namespace} is being deleted\n  → run the same command again when`);
    expect(refused.code).toBe(2);
    const patch = JSON.stringify({ metadata: { finalizers: null } });
    await ground.kubectl('patch', 'configmap', 'holder', '-n', namespace, '--type=merge', '-p', patch);
  });
  it('is done by the same command: nothing is left, and a second run says so', async () => {
    const done = await detach();
    expect(outcome(done)).toBe('done');
    expect(JSON.parse(done.stdout)).toMatchObject({ clean: true });
    expect(await registrations()).not.toContain('aci-1');
    expect(tokens()).toEqual([]);
    expect((await ground.cli(...detachArgs(direct()))).stdout).toContain('nothing was attached: nothing is left');
  });
});
