/** What pods use, as metrics-server of the real Kubernetes reads it from the relay: kubectl top, and an HPA. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { silentProgress } from '../../../infra/cli/progress.ts';
import { parseOwnKubeconfig } from '../../../infra/local/cluster/kubeconfig.ts';
import { ensureMetricsServer, startMetricsServer } from '../../../infra/local/cluster/metrics-server.ts';
import type { MetricsServer } from '../../../infra/local/cluster/metrics-server.ts';
import {
  apply,
  createNamespace,
  field,
  groupOf,
  journal,
  kubectl,
  output,
  phase,
  pod,
  podSpec,
  record,
  removeNamespace,
  target,
  until,
} from './cloud.ts';

const namespace = 'k-metrics';
const withoutExtension = { 'microsoft.containerinstance.virtualnode.injectrealtimemetrics': 'false' };
const stateDir = mkdtempSync(join(tmpdir(), 'metrics-server-'));
let server: MetricsServer | undefined;

/** A third of a core, in short turns. */
const busy = 'while true; do i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; sleep 0.1; done';
const shell = (script: string) => ['sh', '-c', script];

const [node = ''] = record.nodes;
/** Answers of the node's kubelet port, for an account that may do as Prometheus: the API server proxies to no loopback address. */
async function ask(path: string): Promise<{ readonly status: number; readonly body: string }> {
  const token = (await output('create', 'token', 'default', '-n', namespace)).trim();
  const port = await field('node', node, '{.status.daemonEndpoints.kubeletEndpoint.Port}');
  const { endpoint } = parseOwnKubeconfig(readFileSync(record.kubeconfig, 'utf8'));
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const headers = { authorization: `Bearer ${token}` };
  const options = { host: '127.0.0.1', port, path, headers, ca: endpoint.caPem, agent: false };
  request(options, resolve).on('error', reject).end();
  const answer = await promise;
  return { status: answer.statusCode ?? 0, body: await text(answer) };
}

const mayScrape = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: namespace },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:kubelet-api-admin' },
  subjects: [{ kind: 'ServiceAccount', name: 'default', namespace }],
};

/** `kubectl top pod`: millicores and bytes by pod and container. */
async function top(): Promise<ReadonlyMap<string, { readonly millicores: number; readonly mebibytes: number }>> {
  const { stdout } = await kubectl(['top', 'pod', '-n', namespace, '--containers', '--no-headers']);
  const rows = stdout.split('\n').filter((line) => line !== '');
  return new Map(
    rows.map((row) => {
      const [name = '', container = '', cpu = '', memory = ''] = row.trim().split(/\s+/);
      return [`${name}/${container}`, { millicores: parseInt(cpu, 10), mebibytes: parseInt(memory, 10) }];
    }),
  );
}

async function turnExtension(realtimeMetrics: readonly object[]): Promise<void> {
  const answer = await fetch(`${record.emulatorAdminUrl ?? ''}/_emulator/network`, {
    method: 'POST',
    body: JSON.stringify({ realtimeMetrics }),
  });
  if (!answer.ok) throw new Error(await answer.text());
}

beforeAll(async () => {
  await createNamespace(namespace);
  const two = [
    { name: 'main', image: 'busybox:1.36', command: shell(busy) },
    { name: 'beside', image: 'busybox:1.36', command: ['sleep', '3600'] },
  ];
  await apply(
    pod('two', { namespace, spec: { containers: two } }),
    pod('idle', { namespace }),
    pod('silent', { namespace }),
    pod('monitored', { namespace, annotations: withoutExtension, command: shell(busy) }),
  );
  const { binary } = await ensureMetricsServer({ progress: silentProgress });
  for (const name of ['two', 'idle', 'silent', 'monitored'])
    await until(
      name,
      () => phase(name, namespace),
      (seen) => seen === 'Running',
      120_000,
    );
  await turnExtension([{ group: (await groupOf('silent', namespace))?.name, answer: 'silent' }]);
  server = await startMetricsServer({ binary, kubectl: target, stateDir });
});

afterAll(async () => {
  await turnExtension([]);
  await server?.stop();
  await kubectl(['delete', 'clusterrolebinding', namespace, '--ignore-not-found']);
  await removeNamespace(namespace);
  rmSync(stateDir, { recursive: true, force: true });
});

describe('kubectl top', () => {
  it('shows each container of each pod that says what it uses; one that is silent is left out, and spoils nothing', async () => {
    const seen = await until('top', top, (rows) => rows.has('two/main') && rows.has('idle/main'), 90_000);
    expect(seen.get('two/main')?.millicores).toBeGreaterThan(50);
    expect(seen.get('two/beside')?.millicores).toBeLessThan(20);
    expect(seen.get('idle/main')?.millicores).toBeLessThan(20);
    expect([...seen.keys()].filter((name) => !/^(two|idle|monitored)\//.test(name))).toEqual([]);
  });

  it('shows the node, as the sum', async () => {
    const row = await until(
      'top node',
      async () => (await kubectl(['top', 'node', node, '--no-headers'])).stdout,
      (text) => text.includes(node) && !text.includes('unknown'),
      90_000,
    );
    expect(parseInt(row.trim().split(/\s+/)[1] ?? '', 10)).toBeGreaterThan(50);
  });

  it('shows a pod again that speaks again', async () => {
    await turnExtension([]);
    const seen = await until('the silent', top, (rows) => rows.has('silent/main'), 240_000);
    expect(seen.get('silent/main')?.millicores).toBeLessThan(20);
  });
});

describe('the kubelet port', () => {
  it('answers nobody who may not read metrics', async () => {
    expect((await ask('/metrics/resource')).status).toBe(403);
    await apply(mayScrape);
    // A refusal is remembered for half a minute.
    await until(
      'the right',
      async () => (await ask('/metrics/resource')).status,
      (status) => status === 200,
      60_000,
    );
  });

  it('has the summary, with the network and without', async () => {
    const summary = z.object({
      node: z.object({ nodeName: z.string(), cpu: z.object({ usageCoreNanoSeconds: z.int() }) }),
      pods: z.array(z.looseObject({ podRef: z.object({ name: z.string() }) })),
    });
    const full = summary.parse(JSON.parse((await ask('/stats/summary')).body));
    expect(full.node.nodeName).toBe(node);
    const two = full.pods.find(({ podRef }) => podRef.name === 'two');
    // In the order of the pod's status.
    expect(two).toMatchObject({ containers: [{ name: 'beside' }, { name: 'main' }], network: { name: 'eth0' } });
    const brief = await ask('/stats/summary?only_cpu_and_memory=true');
    expect(brief.body).not.toContain('"network"');
  });

  it('has what Prometheus reads, and nothing of the platform', async () => {
    const { body } = await ask('/metrics/resource');
    expect(body).toMatch(
      /^container_cpu_usage_seconds_total\{container="main",pod="two",namespace="k-metrics"\} \S+ \d{13}$/m,
    );
    expect(body).not.toContain('"infra"');
    expect((await ask('/metrics/probes')).status).toBe(200);
  });
});

describe('a HorizontalPodAutoscaler', () => {
  const name = 'scaled';
  const replicas = async (): Promise<number> =>
    Number(await field('deployment', name, '{.status.replicas}', namespace));

  it('scales on what its pods use, and back', async () => {
    const until2 = Math.round(Date.now() / 1000) + 150;
    const script = `while [ $(date +%s) -lt ${until2} ]; do i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; done; sleep 3600`;
    const template = {
      metadata: { labels: { app: name } },
      spec: podSpec({
        restartPolicy: 'Always',
        command: shell(script),
        container: { resources: { requests: { cpu: '200m' } } },
      }),
    };
    await apply(
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name, namespace },
        spec: { replicas: 1, selector: { matchLabels: { app: name } }, template },
      },
      {
        apiVersion: 'autoscaling/v2',
        kind: 'HorizontalPodAutoscaler',
        metadata: { name, namespace },
        spec: {
          scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
          minReplicas: 1,
          maxReplicas: 2,
          metrics: [
            { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } },
          ],
          behavior: { scaleDown: { stabilizationWindowSeconds: 15 } },
        },
      },
    );
    expect(await until('two replicas', replicas, (count) => count === 2, 150_000)).toBe(2);
    expect(await until('one replica', replicas, (count) => count === 1, 300_000)).toBe(1);
    expect(await output('get', 'events', '-n', namespace, '--field-selector', `involvedObject.name=${name}`)).toContain(
      'SuccessfulRescale',
    );
  }, 600_000);
});

describe('without the extension', () => {
  it('shows a pod without the extension minutes later, from Azure Monitor, for one read a minute', async () => {
    const seen = await until('the monitored', top, (rows) => rows.has('monitored/main'), 480_000);
    expect(seen.get('monitored/main')?.millicores).toBeGreaterThan(50);
    const group = (await groupOf('monitored', namespace))?.name ?? '';
    const reads = (await journal()).filter(({ path }) => path.toLowerCase().includes('microsoft.insights/metrics'));
    expect(reads.every(({ path, status }) => path.includes(group) && status === 200)).toBe(true);
    const minutes = (Date.parse(String(reads.at(-1)?.time)) - Date.parse(String(reads[0]?.time))) / 60_000;
    expect(reads.length).toBeLessThanOrEqual(minutes + 2);
  });
});
