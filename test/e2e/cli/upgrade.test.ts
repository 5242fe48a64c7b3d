/** An app with two clusters of two zones each, and an upgrade of the chart and the app amid running pods. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { Child } from '../../../infra/local/child.ts';
import { ensureControlPlane } from '../../../infra/local/cluster/build.ts';
import { startControlPlane } from '../../../infra/local/cluster/control-plane.ts';
import type { ControlPlane } from '../../../infra/local/cluster/control-plane.ts';
import { kubectlOutput } from '../../../infra/local/cluster/kubectl.ts';
import { createProgress } from '../../../infra/cli/progress.ts';
import { appFolder, bundle } from '../../../infra/local/up/bundle.ts';
import { startHost } from '../../../infra/local/up/host.ts';
import type { HostReady } from '../../../infra/local/up/host.ts';
import { startsOfOnceStarted } from './container-starts.ts';
import { startReleaseRelay } from './release-relay.ts';
import { startRig } from './rig.ts';
import type { CliResult, Rig } from './rig.ts';

const runningPods = 30;
let dir = '';
let rig: Rig;
let second: ControlPlane;
let host: Child<HostReady>;
let firstUrl = '';
const relays: Child<string>[] = [];

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'serverless-kubelet-upgrade-'));
  rig = await startRig(dir);
  host = rig.host;
  firstUrl = host.value.url;
  const progress = createProgress();
  const binaries = await ensureControlPlane({ progress });
  second = await startControlPlane({ stateDir: join(dir, 'second'), binaries, progress });
});
afterAll(async () => {
  await stopRelays();
  await host.stop(10_000);
  await second.stop();
  await rig.stop();
  rmSync(dir, { recursive: true, force: true });
});

const isSecond = (cluster: ControlPlane): boolean => cluster === second;
const stopRelays = (): Promise<unknown> => Promise.all(relays.splice(0).map((relay) => relay.stop(8000)));
async function startRelays(): Promise<void> {
  for (const cluster of [rig.cluster, second]) {
    const folder = join(dir, isSecond(cluster) ? 'relay-second' : 'relay-first');
    relays.push(await startReleaseRelay(cluster, folder, firstUrl));
  }
}

/** No kube-proxy and no kubelet run here: the relay has no address, and its pods never start; it runs beside them. */
function attach(cluster: ControlPlane, ...more: string[]): Promise<CliResult> {
  const where = ['--settings', rig.settings, '--kubeconfig', cluster.kubeconfigPath, '--app-url', host.value.url];
  const what = ['--cluster-name', isSecond(cluster) ? 'second' : 'first', '--nodes', 'aci-1,aci-2', '--zones', '1,2'];
  const how = ['--chart', rig.chart, '--auth', 'token', '--node-address', '127.0.0.1'];
  const port = isSecond(cluster) ? '21360' : '21350';
  return rig.cli('attach', ...where, ...what, ...how, '--port', port, '--wait', 'nodes', ...more);
}
function detach(cluster: ControlPlane): Promise<CliResult> {
  const where = ['--settings', rig.settings, '--kubeconfig', cluster.kubeconfigPath, '--chart', rig.chart];
  return rig.cli('detach', ...where, '--purge-usage', '--output', 'json');
}
const kubectl = (cluster: ControlPlane, ...args: string[]): Promise<string> => kubectlOutput(args, cluster.kubectl);

/** Spread over the zones as evenly as can be; more than one apart is not allowed. */
const spread = (replicas: number): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'spread', namespace: 'default' },
  spec: {
    replicas,
    selector: { matchLabels: { app: 'spread' } },
    template: {
      metadata: { labels: { app: 'spread' } },
      spec: {
        nodeSelector: { type: 'virtual-kubelet' },
        tolerations: [{ key: 'virtual-kubelet.io/provider', operator: 'Exists' }],
        terminationGracePeriodSeconds: 1,
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: 'topology.kubernetes.io/zone',
            whenUnsatisfiable: 'DoNotSchedule',
            labelSelector: { matchLabels: { app: 'spread' } },
          },
        ],
        containers: [{ name: 'main', image: 'docker.io/library/busybox:latest', command: ['sleep', '3600'] }],
      },
    },
  },
});

/** Comes back wherever there is a node, whatever keeps others away. */
const agent: object = {
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name: 'agent', namespace: 'kube-public' },
  spec: {
    selector: { matchLabels: { app: 'agent' } },
    template: {
      metadata: { labels: { app: 'agent' } },
      spec: {
        nodeSelector: { type: 'virtual-kubelet' },
        tolerations: [{ operator: 'Exists' }],
        terminationGracePeriodSeconds: 1,
        containers: [{ name: 'main', image: 'docker.io/library/busybox:latest', command: ['sleep', '3600'] }],
      },
    },
  },
};

async function run(cluster: ControlPlane, replicas: number): Promise<void> {
  const input = JSON.stringify(spread(replicas));
  await kubectlOutput(['apply', '-f', '-'], { ...cluster.kubectl, input });
  const args = ['rollout', 'status', 'deployment/spread', '--timeout=300s'];
  await kubectlOutput(args, { ...cluster.kubectl, timeoutMs: 310_000 });
}

/** How many pods each node has, sorted. */
async function podsByNode(cluster: ControlPlane): Promise<readonly number[]> {
  const nodes = (await kubectl(cluster, 'get', 'pods', '-o', 'jsonpath={.items[*].spec.nodeName}')).split(' ');
  return [...new Set(nodes)].toSorted().map((node) => nodes.filter((name) => name === node).length);
}

const emulated = async (path: string): Promise<unknown> =>
  (await fetch(`${rig.emulator.child.value.adminUrl}/_emulator/${path}`)).json();
const groupCount = async (): Promise<number> =>
  z.object({ groups: z.array(z.looseObject({})) }).parse(await emulated('groups')).groups.length;
/** The starts of all containers; none but those of the running pods, and each only once. */
const starts = (expected: number): Promise<readonly string[]> =>
  startsOfOnceStarted(rig.emulator.child.value.adminUrl, expected);
const revision = async (): Promise<number> =>
  (await kubectl(rig.cluster, 'get', 'secrets', '-n', 'serverless-kubelet', '-l', 'owner=helm', '-o', 'name')).split(
    '\n',
  ).length;

const statusSchema = z.object({
  clusters: z.array(
    z.object({
      name: z.string(),
      nodes: z.array(
        z.object({
          name: z.string(),
          zone: z.string(),
          ready: z.string().nullable(),
          leaseAgeSeconds: z.number().nullable(),
          pods: z.record(z.string(), z.number()).nullable(),
          groups: z.number(),
          orphans: z.number(),
        }),
      ),
    }),
  ),
  budgets: z.array(z.looseObject({})),
  unmanagedGroups: z.array(z.looseObject({})),
});
const costSchema = z.object({
  lines: z.array(z.looseObject({ key: z.string() })),
  running: z.object({ pods: z.number(), costPerMonth: z.number() }),
});
/** What a command prints, as the first cluster's operator sees it. */
async function reported(...args: string[]): Promise<unknown> {
  const where = ['--settings', rig.settings, '--kubeconfig', rig.cluster.kubeconfigPath];
  return JSON.parse((await rig.cli(...args, ...where, '--output', 'json')).stdout);
}

describe('an app with two clusters of two zones', () => {
  it('both are attached, and a spread over zones holds in each', async () => {
    for (const cluster of [rig.cluster, second]) {
      const attached = await attach(cluster);
      expect(attached).toMatchObject({ code: 0 });
    }
    await startRelays();
    await Promise.all([run(rig.cluster, runningPods), run(second, 6)]);
    expect(await podsByNode(rig.cluster)).toEqual([runningPods / 2, runningPods / 2]);
    expect(await podsByNode(second)).toEqual([3, 3]);
    expect(await groupCount()).toBe(runningPods + 6);
  });

  it('status reports their nodes, pods and groups, and cost of what runs', async () => {
    const status = statusSchema.parse(await reported('status'));
    expect(status.unmanagedGroups).toEqual([]);
    const first = status.clusters.find(({ name }) => name === 'first');
    expect(first?.nodes).toMatchObject(
      ['1', '2'].map((zone) => ({ name: `aci-${zone}`, zone, ready: 'True', groups: runningPods / 2, orphans: 0 })),
    );
    for (const node of first?.nodes ?? []) {
      expect(node.pods).toMatchObject({ Running: runningPods / 2 });
      expect(node.leaseAgeSeconds ?? Number.NaN).toBeLessThan(40);
    }
    const cost = costSchema.parse(await reported('cost', '--by', 'namespace'));
    expect(cost.lines.map(({ key }) => key)).toEqual(['default']);
    expect(cost.running.pods).toBe(runningPods + 6);
    expect(cost.running.costPerMonth).toBeGreaterThan(0);
  });

  it('helm upgrade and a new package amid running pods: nothing restarts, and new pods start', async () => {
    const before = await starts(runningPods + 6);
    const firstRevision = await revision();
    const upgraded = await attach(rig.cluster, '--set', 'resources.requests.memory=100Mi');
    expect(upgraded).toMatchObject({ code: 0 });
    expect(await revision()).toBe(firstRevision + 1);
    await stopRelays();
    await host.stop(10_000);
    const next = join(dir, 'next');
    await bundle(next);
    host = await startHost(dir, appFolder(next));
    // The new app has another URL here, and a restart of the relay is what an upgrade of the chart is.
    for (const cluster of [rig.cluster, second]) expect(await attach(cluster)).toMatchObject({ code: 0 });
    await startRelays();
    await run(rig.cluster, runningPods + 2);
    const after = await starts(runningPods + 2 + 6);
    expect(after.filter((start) => before.includes(start))).toEqual(before);
    const restarts = await kubectl(
      rig.cluster,
      'get',
      'pods',
      '-o',
      'jsonpath={.items[*].status.containerStatuses[0].restartCount}',
    );
    expect(new Set(restarts.split(' '))).toEqual(new Set(['0']));
  });

  it('one is detached and nothing of it is left, though a DaemonSet wants its nodes; the other goes on', async () => {
    await kubectlOutput(['apply', '-f', '-'], { ...rig.cluster.kubectl, input: JSON.stringify(agent) });
    const started = ['rollout', 'status', 'daemonset/agent', '-n', 'kube-public', '--timeout=120s'];
    await kubectlOutput(started, { ...rig.cluster.kubectl, timeoutMs: 130_000 });
    expect(await groupCount()).toBe(runningPods + 2 + 6 + 2);
    const result = await detach(rig.cluster);
    expect(result).toMatchObject({ code: 0 });
    expect(JSON.parse(result.stdout)).toMatchObject({ clean: true });
    expect(await groupCount()).toBe(6);
    expect(await podsByNode(second)).toEqual([3, 3]);
  });
});
