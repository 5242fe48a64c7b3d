/** The relay as the chart renders it, in containers: what they may do, that they live again, that logs come through. */
import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { createEngineClient } from '../../../infra/local/aci/runtime/engine/client.ts';
import type { EngineClient } from '../../../infra/local/aci/runtime/engine/client.ts';
import { stateKey } from '../../../infra/local/aci/runtime/engine/podman-layout.ts';
import { podLabel } from '../../../infra/local/chart/container-body.ts';
import { kubectl, kubectlOutput } from '../../../infra/local/cluster/kubectl.ts';
import type { KubectlTarget } from '../../../infra/local/cluster/kubectl.ts';
import { createProgress } from '../../../infra/cli/progress.ts';
import { startCloud } from '../../../infra/local/up/cloud.ts';
import type { Cloud } from '../../../infra/local/up/cloud.ts';
import { parseUpOptions } from '../../../infra/local/up/options.ts';
import { until } from '../until.ts';

const containerSchema = z.object({
  Id: z.string(),
  Config: z.object({
    Hostname: z.string(),
    Image: z.string(),
    User: z.string(),
    Entrypoint: z.union([z.string(), z.array(z.string())]),
  }),
  HostConfig: z.object({
    ReadonlyRootfs: z.boolean(),
    CapDrop: z.array(z.string()),
    SecurityOpt: z.array(z.string()),
    Privileged: z.boolean(),
  }),
  EffectiveCaps: z.array(z.string()).nullable().optional(),
  Mounts: z.array(z.object({ Destination: z.string(), RW: z.boolean() })),
});
type Container = z.infer<typeof containerSchema>;

let dir = '';
let cloud: Cloud;
let engine: EngineClient;
let target: KubectlTarget;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'serverless-kubelet-chart-'));
  const args = ['--dir', dir, '--relay', 'chart', '--cluster', 'real', '--runtime', 'engine'];
  cloud = await startCloud(parseUpOptions(args, process.env), createProgress());
  const socket = join('/run/serverless-kubelet', stateKey(join(dir, 'aci', 'podman')), 'podman.sock');
  engine = createEngineClient(socket);
  target = { binary: cloud.cluster.kubectl, kubeconfig: cloud.kubeconfig };
});
afterAll(async () => {
  engine.close();
  await cloud.stop();
  await rm(dir, { recursive: true, force: true });
});

async function containers(): Promise<readonly Container[]> {
  const filters = encodeURIComponent(JSON.stringify({ label: [podLabel] }));
  const list = z.array(z.object({ Id: z.string() }));
  const found = await engine.json(list, { method: 'GET', path: `/containers/json?filters=${filters}` });
  return Promise.all(
    found.map(({ Id }) => engine.json(containerSchema, { method: 'GET', path: `/containers/${Id}/json` })),
  );
}

const output = (...args: readonly string[]): Promise<string> => kubectlOutput(args, target);
const leader = (): Promise<string> =>
  output('get', 'lease', 'relay', '-n', 'serverless-kubelet', '-o', 'jsonpath={.spec.holderIdentity}');
const ready = async (): Promise<number> =>
  Number(
    await output('get', 'deployment', 'relay', '-n', 'serverless-kubelet', '-o', 'jsonpath={.status.readyReplicas}'),
  );

/** What the kubelet port of each replica answers an administrator, within the five seconds for which an answer counts. */
async function askEach(path: string): Promise<readonly string[]> {
  const admin = { commonName: 'admin', organizations: ['system:masters'], usages: ['client' as const] };
  const pair = await cloud.cluster.controlPlane?.issueCertificate(admin);
  const port = await output('get', 'node', 'aci-1', '-o', 'jsonpath={.status.daemonEndpoints.kubeletEndpoint.Port}');
  const addresses = await output('get', 'pods', '-n', 'serverless-kubelet', '-o', 'jsonpath={.items[*].status.podIP}');
  return Promise.all(
    addresses.split(' ').map(async (host) => {
      const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
      const options = {
        host,
        port,
        path,
        cert: pair?.certPem,
        key: pair?.keyPem,
        rejectUnauthorized: false,
        agent: false,
      };
      request(options, resolve).on('error', reject).end();
      return text(await promise);
    }),
  );
}

const job = (name: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: {
      restartPolicy: 'Never',
      nodeSelector: { type: 'virtual-kubelet' },
      tolerations: [{ key: 'virtual-kubelet.io/provider', operator: 'Exists' }],
      containers: [{ name: 'main', image: 'busybox:1.36', command: ['sh', '-c', `echo hello from ${name}`] }],
    },
  });

/** The pod's log at its end. */
async function run(name: string): Promise<string> {
  const applied = await kubectl(['apply', '-f', '-'], { ...target, input: job(name) });
  expect(applied.stderr).toBe('');
  const phase = (): Promise<string> => output('get', 'pod', name, '-o', 'jsonpath={.status.phase}');
  await until(`${name} Succeeded`, phase, (value) => value === 'Succeeded', 120_000);
  return output('logs', name);
}

describe("the chart's relay in containers", () => {
  it('runs the image, program and user of the chart, and no more rights than it states', async () => {
    const found = await containers();
    expect(found).toHaveLength(2);
    for (const { Config, HostConfig, EffectiveCaps, Mounts } of found) {
      expect(Config.Image).toBe('docker.io/library/node:24-slim');
      expect(Config.User).toBe('65532:65532');
      expect([Config.Entrypoint].flat().join(' ')).toContain('/opt/relay/relay.mjs --config /etc/relay/config.json');
      expect(HostConfig.ReadonlyRootfs).toBe(true);
      expect(HostConfig.Privileged).toBe(false);
      expect(HostConfig.SecurityOpt).toContain('no-new-privileges');
      expect(EffectiveCaps ?? []).toEqual([]);
      const mounts = Mounts.toSorted((left, right) => left.Destination.localeCompare(right.Destination));
      expect(mounts).toEqual(
        ['/etc/relay', '/opt/relay', '/var/run/secrets/app', '/var/run/secrets/kubernetes.io/serviceaccount'].map(
          (Destination) => ({ Destination, RW: false }),
        ),
      );
    }
  });

  it('is available in the eyes of the API server', async () => {
    expect(await until('two replicas', ready, (count) => count === 2, 30_000)).toBe(2);
  });

  it('says what pods use whichever replica is asked: the one that does not lead asks the leader', async () => {
    const applied = await kubectl(['apply', '-f', '-'], {
      ...target,
      input: job('busy').replace('echo hello from busy', 'sleep 3600'),
    });
    expect(applied.stderr).toBe('');
    const phase = (): Promise<string> => output('get', 'pod', 'busy', '-o', 'jsonpath={.status.phase}');
    await until('busy runs', phase, (value) => value === 'Running', 120_000);
    const answers = await until(
      'both replicas',
      () => askEach('/metrics/resource'),
      (all) => all.length === 2 && all.every((text) => text.includes('pod="busy"')),
      60_000,
    );
    // Of one meter: the same sample, of the same time.
    const samples = answers.map((text) => /^container_cpu_usage_seconds_total.*pod="busy".*$/m.exec(text)?.[0]);
    expect(new Set(samples).size).toBe(1);
    await output('delete', 'pod', 'busy', '--wait=false');
  });

  it('takes a pod to its end and gives its log', async () => {
    expect(await run('first')).toBe('hello from first\n');
  });

  it('goes on with the other replica when the leading container is killed, and starts that one again', async () => {
    const [pod] = (await leader()).split('_');
    const all = await containers();
    const leading = all.find(({ Config }) => Config.Hostname === pod);
    expect(leading).toBeDefined();
    await engine.send({ method: 'POST', path: `/containers/${leading?.Id}/kill?signal=SIGKILL` });
    expect(await run('second')).toBe('hello from second\n');
    await until('two replicas', ready, (count) => count === 2, 60_000);
    const now = await containers();
    expect(now.map(({ Id }) => Id)).not.toContain(leading?.Id);
    expect(now).toHaveLength(2);
  });

  it('comes back when every container is killed at once', async () => {
    await cloud.killRelay();
    expect(await containers()).toEqual([]);
    await cloud.startRelay();
    expect(await run('third')).toBe('hello from third\n');
  });
});
