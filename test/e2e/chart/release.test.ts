/** The chart as a release: installed, upgraded and taken away by Helm, on a real control plane. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startChild } from '../../../infra/local/child.ts';
import { requestToken } from '../../../infra/local/cluster/attach.ts';
import type { ControlPlane } from '../../../infra/local/cluster/control-plane.ts';
import { kubectl, kubectlOutput } from '../../../infra/local/cluster/kubectl.ts';
import { relayNodeFlags } from '../../../infra/local/up/relay.ts';
import { ownerAnnotation } from '../../../shared/core/node/node-spec.ts';
import { until } from '../until.ts';
import { ChartWorld, apply, clusterFor, clusterUid, get, namespace, namespaced, release, values } from './chart.ts';
import type { Manifest, Values } from './chart.ts';

let world: ChartWorld;
let cluster: ControlPlane;
let given: Values;

interface List<T = Manifest> {
  readonly items: readonly T[];
}

const helm = async (args: readonly string[], overrides?: Values) => {
  const result = await world.run(
    [...args, '--namespace', namespace],
    overrides === undefined ? undefined : { ...given, ...overrides },
    cluster.kubeconfigPath,
  );
  expect(result.stderr.replaceAll(/^level=\w+ .*$/gm, '').trim()).toBe('');
  expect(result.code).toBe(0);
  return result.stdout;
};

const upgrade = (overrides: Values) => helm(['upgrade', '--install', release, world.chart], overrides);

const jsonpath = (path: string, ...args: readonly string[]): Promise<string> =>
  kubectlOutput(['get', ...args, '--namespace', namespace, '-o', `jsonpath=${path}`], cluster.kubectl);

/** Names of all that can be listed, but for what the cluster itself writes all the time. */
async function everything(): Promise<readonly string[]> {
  const resources = await kubectlOutput(['api-resources', '--verbs=list', '-o', 'name'], cluster.kubectl);
  const kinds = resources
    .trim()
    .split('\n')
    .filter((name) => !/^(events|componentstatuses)|^leases|endpointslices|\.metrics\.k8s\.io$/.test(name));
  const lists = await get<List>(cluster, kinds.join(','), '--all-namespaces');
  return lists.items.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`).toSorted();
}

beforeAll(async () => {
  world = await ChartWorld.build();
  cluster = await clusterFor(world);
  given = values(await clusterUid(cluster));
  await apply(cluster, [namespaced(namespace, { 'pod-security.kubernetes.io/enforce': 'restricted' })]);
});

afterAll(async () => {
  await cluster?.stop();
  world?.remove();
});

describe('a release', () => {
  let before: readonly string[] = [];

  it('is refused in a cluster of another UID, before anything is created', async () => {
    before = await everything();
    const result = await world.run(
      ['install', release, world.chart, '--namespace', namespace],
      values(),
      cluster.kubeconfigPath,
    );
    expect(result.code).not.toBe(0);
    expect(result.stderr).toMatch(/clusterUid: this cluster is [0-9a-f-]{36}, not 5f0c2d6e/);
    expect(await everything()).toEqual(before);
  });

  it('is refused where a machine has the name of a node', async () => {
    await apply(cluster, [{ apiVersion: 'v1', kind: 'Node', metadata: { name: 'aci-2' } }]);
    const result = await world.run(
      ['install', release, world.chart, '--namespace', namespace],
      given,
      cluster.kubeconfigPath,
    );
    expect(result.stderr).toContain('nodes[1].name: the cluster has a Node aci-2 that is no virtual one');
    await kubectlOutput(['delete', 'node', 'aci-2'], cluster.kubectl);
  });

  it('is refused where the Secret of the certificate is missing', async () => {
    const serving = { mode: 'secret', secretName: 'mine' };
    const result = await world.run(
      ['install', release, world.chart, '--namespace', namespace],
      { ...given, serving },
      cluster.kubeconfigPath,
    );
    expect(result.stderr).toContain(`serving.secretName: there is no Secret mine in namespace ${namespace}`);
  });

  it('installs, and a namespace of restricted Pod Security takes the pods of the relay', async () => {
    const notes = await upgrade({});
    expect(notes).toContain('aci-2  port 10251');
    const pods = await until(
      'pods of the relay',
      () => get<List>(cluster, 'pods', '--namespace', namespace),
      ({ items }) => items.length === 2,
    );
    expect(pods.items.every(({ metadata }) => metadata.name.startsWith('relay-'))).toBe(true);
    const events = await get<List<{ reason: string; message: string }>>(cluster, 'events', '--namespace', namespace);
    expect(events.items.filter(({ reason }) => reason === 'FailedCreate')).toEqual([]);
  });

  it('keeps certificate, leadership and pods through an upgrade that concerns none of them', async () => {
    const holder = { spec: { holderIdentity: 'relay-a', leaseDurationSeconds: 15, leaseTransitions: 3 } };
    const patch = ['patch', 'lease', 'relay', '--namespace', namespace, '--type=merge', '-p', JSON.stringify(holder)];
    await kubectlOutput(patch, cluster.kubectl);
    const look = async () => ({
      certificate: await jsonpath('{.data}', 'secret', 'relay'),
      lease: await jsonpath('{.spec}', 'lease', 'relay'),
      replicaSets: (await get<List>(cluster, 'replicasets', '--namespace', namespace)).items.length,
      address: await jsonpath('{.spec.clusterIP}', 'service', 'relay'),
    });
    const seen = await look();
    await upgrade({});
    await upgrade({ optIn: { mode: 'prefer' }, drain: { timeoutSeconds: 60 } });
    expect(await look()).toEqual(seen);
    expect(JSON.parse(seen.lease)).toEqual(holder.spec);
  });

  it('rolls the pods when the relay is reported something else', async () => {
    await upgrade({ installation: 'prod' });
    const sets = await until(
      'a second ReplicaSet',
      () => get<List>(cluster, 'replicasets', '--namespace', namespace),
      ({ items }) => items.length === 2,
    );
    expect(sets.items).toHaveLength(2);
  });

  it('gives its accounts just what they need', async () => {
    const can = async (account: string, ...what: readonly string[]): Promise<string> => {
      const as = `--as=system:serviceaccount:${namespace}:${account}`;
      return (await kubectl(['auth', 'can-i', ...what, as], cluster.kubectl)).stdout.trim();
    };
    const own = ['--namespace', namespace];
    const answers = {
      'the relay takes the lead': await can('relay', 'patch', 'lease/relay', ...own),
      'the relay takes another Lease': await can('relay', 'patch', 'lease/other', ...own),
      'the relay renews a node': await can('relay', 'patch', 'lease/aci-1', '--namespace', 'kube-node-lease'),
      'the relay reads its own Secret': await can('relay', 'get', 'secret/relay', ...own),
      'the relay deletes pods': await can('relay', 'delete', 'pods', '--all-namespaces'),
      'the app is its node': await can('app', 'impersonate', 'users/system:node:aci-1'),
      'the app is another node': await can('app', 'impersonate', 'users/system:node:vm-1'),
      'the drain before its time': await can('relay-drain', 'delete', 'node/aci-1'),
    };
    expect(answers).toEqual({
      'the relay takes the lead': 'yes',
      'the relay takes another Lease': 'no',
      'the relay renews a node': 'yes',
      'the relay reads its own Secret': 'no',
      'the relay deletes pods': 'no',
      'the app is its node': 'yes',
      'the app is another node': 'no',
      'the drain before its time': 'no',
    });
  });

  it('goes without hooks and leaves nothing', async () => {
    await helm(['uninstall', release, '--no-hooks', '--wait']);
    await until('nothing left', everything, (now) => JSON.stringify(now) === JSON.stringify(before));
    const leases = await get<List>(cluster, 'leases', '--namespace', namespace);
    expect(leases.items).toEqual([]);
  });
});

describe('an uninstall', () => {
  const virtual = (name: string) => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: { type: 'virtual-kubelet' },
      annotations: { [ownerAnnotation]: 'prod' },
    },
  });
  const lease = (name: string) => ({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name, namespace: 'kube-node-lease' },
  });
  const pod = (name: string, nodeName: string) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: { nodeName, terminationGracePeriodSeconds: 0, containers: [{ name: 'main', image: 'busybox' }] },
  });

  it('drains first, with rights that are there only for that, and leaves nothing', async () => {
    const before = await everything();
    await upgrade({});
    await apply(cluster, [virtual('aci-1'), virtual('aci-2'), virtual('other'), lease('aci-1'), lease('other')]);
    await apply(cluster, [pod('ours', 'aci-1'), pod('theirs', 'other')]);
    const uninstalled = helm(['uninstall', release, '--timeout', '120s']);
    const job = await until(
      "the drain's pod",
      () => get<List>(cluster, 'pods', '--namespace', namespace, '-l', 'app.kubernetes.io/component=drain'),
      ({ items }) => items.length === 1,
    );
    expect(await drainAs(job.items[0])).toBe(0);
    const done = { status: { phase: 'Succeeded' } };
    const name = job.items[0]?.metadata.name ?? '';
    const patch = ['patch', 'pod', name, '--namespace', namespace, '--subresource=status', '--type=merge'];
    await kubectlOutput([...patch, '-p', JSON.stringify(done)], cluster.kubectl);
    await uninstalled;
    const left = await until('only what is not ours', everything, (now) => now.length === before.length + 2);
    expect(left.filter((item) => !before.includes(item))).toEqual(['Node /other', 'Pod default/theirs']);
    const leases = await get<List>(cluster, 'leases', '--namespace', 'kube-node-lease');
    expect(leases.items.map(({ metadata }) => metadata.name)).toEqual(['other']);
  });

  /** Runs what the Job's container would: its command, with the release's configuration, as its ServiceAccount. */
  async function drainAs(found: Manifest | undefined): Promise<number | null> {
    const spec = found?.['spec'] as {
      readonly serviceAccountName: string;
      readonly containers: readonly { readonly command: readonly string[]; readonly args: readonly string[] }[];
    };
    const [container] = spec.containers;
    expect(container?.command).toEqual(['node', ...relayNodeFlags, '/opt/relay/relay.mjs']);
    const folder = join(world.dir, 'drain');
    mkdirSync(folder);
    const { token } = await requestToken({
      kubectl: cluster.kubectl,
      namespace,
      serviceAccount: spec.serviceAccountName,
      durationSeconds: 600,
    });
    writeFileSync(join(folder, 'token'), token);
    writeFileSync(join(folder, 'ca.crt'), cluster.caPem);
    const config = JSON.parse(await jsonpath('{.data.config\\.json}', 'configmap', 'relay-config'));
    const apiServer = { url: cluster.url, caFile: join(folder, 'ca.crt'), tokenFile: join(folder, 'token') };
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, apiServer }));
    writeFileSync(join(folder, 'relay.mjs'), await jsonpath('{.data.relay\\.mjs}', 'configmap', 'relay-bundle'));
    const args = (container?.args ?? []).map((text) => text.replace('/etc/relay/', `${folder}/`));
    const child = await startChild({
      name: 'drain',
      command: process.execPath,
      args: [...relayNodeFlags, join(folder, 'relay.mjs'), ...args],
      logFile: join(folder, 'log'),
    });
    const { code } = await child.exited;
    if (code !== 0) throw new Error(readFileSync(join(folder, 'log'), 'utf8'));
    return code;
  }
});
