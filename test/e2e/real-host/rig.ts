/** A laptop cloud on the real Functions host, what is done to it, and what is seen of it. */
import { readFileSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BatchV1Api, CoordinationV1Api, CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import type { V1Container, V1PodSpec } from '@kubernetes/client-node';
import * as z from 'zod';
import { createProgress } from '../../../infra/cli/progress.ts';
import { blobSas } from '../../../infra/local/storage-sas.ts';
import { startCloud } from '../../../infra/local/up/cloud.ts';
import { nodeName } from '../../../infra/local/up/node-in-cluster.ts';
import type { Cloud } from '../../../infra/local/up/cloud.ts';
import { parseUpOptions } from '../../../infra/local/up/options.ts';
import type { RealHostControl } from '../../../infra/local/up/real-host-control.ts';
import { until } from '../until.ts';

export interface Rig {
  readonly dir: string;
  readonly cloud: Cloud;
  readonly host: RealHostControl;
  readonly relayPid: number;
  readonly core: CoreV1Api;
  readonly batch: BatchV1Api;
  readonly coordination: CoordinationV1Api;
}

/** `cluster`: `embedded` needs nothing; `real` has Jobs. */
export async function startRig(dir: string, folder: string, cluster: string): Promise<Rig> {
  const options = ['--cluster', cluster, '--runtime', 'process', '--functions-host', folder];
  const cloud = await startCloud(
    parseUpOptions(['--dir', dir, '--no-examples', '--creates-per-hour', '6000', ...options], process.env),
    createProgress(),
  );
  if (cloud.realHost === undefined) throw new Error('the cloud is not on the real host');
  const config = new KubeConfig();
  config.loadFromFile(cloud.kubeconfig);
  const { pids } = z
    .object({ pids: z.object({ relay: z.number() }) })
    .parse(JSON.parse(readFileSync(join(dir, 'cloud.json'), 'utf8')));
  return {
    dir,
    cloud,
    host: cloud.realHost,
    relayPid: pids.relay,
    core: config.makeApiClient(CoreV1Api),
    batch: config.makeApiClient(BatchV1Api),
    coordination: config.makeApiClient(CoordinationV1Api),
  };
}

/** A spec for our node; the script's exit code is the container's. */
export function podSpec(script: string): V1PodSpec {
  const main: V1Container = { name: 'main', image: 'busybox:1.36', command: ['sh', '-c', script] };
  return {
    restartPolicy: 'Never',
    nodeSelector: { type: 'virtual-kubelet' },
    tolerations: [{ key: 'virtual-kubelet.io/provider', operator: 'Exists' }],
    containers: [main],
  };
}

const namespace = 'default';

export async function createPods(rig: Rig, scripts: Readonly<Record<string, string>>): Promise<void> {
  await Promise.all(
    Object.entries(scripts).map(([name, script]) =>
      rig.core.createNamespacedPod({ namespace, body: { metadata: { name }, spec: podSpec(script) } }),
    ),
  );
}

/** Waits until each pod has ended; the exit codes by name. */
export async function exitCodes(rig: Rig, names: readonly string[], timeoutMs = 90_000) {
  const look = async (): Promise<Record<string, number | undefined>> => {
    const { items } = await rig.core.listNamespacedPod({ namespace });
    const ended = items.filter(({ status }) => status?.phase === 'Succeeded' || status?.phase === 'Failed');
    return Object.fromEntries(
      ended.map(({ metadata, status }) => [
        metadata?.name ?? '',
        status?.containerStatuses?.[0]?.state?.terminated?.exitCode,
      ]),
    );
  };
  const seen = await until('all pods end', look, (codes) => names.every((name) => name in codes), timeoutMs);
  return Object.fromEntries(names.map((name) => [name, seen[name]]));
}

/** Looks at the Lease and at the node's condition twice a second, until it is stopped. */
export class NodeWatch {
  readonly renewals: number[] = [];
  readonly conditions = new Set<string>();
  readonly #rig: Rig;
  readonly #ended = new AbortController();
  readonly #running: Promise<void>;

  constructor(rig: Rig) {
    this.#rig = rig;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    await this.#running;
  }

  /** The longest time between two renewals that were seen, in seconds. */
  get largestGap(): number {
    return Math.max(0, ...this.renewals.map((at, index) => (at - (this.renewals[index - 1] ?? at)) / 1000));
  }

  async #run(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      const [lease, node] = await Promise.all([
        this.#rig.coordination.readNamespacedLease({ namespace: 'kube-node-lease', name: nodeName }),
        this.#rig.core.readNode({ name: nodeName }),
      ]);
      const renewedAt = Date.parse(String(lease.spec?.renewTime));
      if (this.renewals.at(-1) !== renewedAt) this.renewals.push(renewedAt);
      this.conditions.add(node.status?.conditions?.find(({ type }) => type === 'Ready')?.status ?? 'absent');
      await sleep(500);
    }
  }
}

/** The processes that a host has started: its worker. */
export function workerOf(hostPid: number): number {
  const found = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .find((pid) => parentOf(pid) === hostPid);
  if (found === undefined) throw new Error(`process ${hostPid} has no child`);
  return Number(found);
}

function parentOf(pid: string): number | undefined {
  try {
    return Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]);
  } catch {
    return undefined;
  }
}

/** Resident megabytes of host and worker. */
export const megabytesOf = (hostPid: number): number =>
  [hostPid, workerOf(hostPid)]
    .map((pid) => Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024)
    .reduce((sum, megabytes) => sum + megabytes, 0);

const chunk = Buffer.alloc(65_536, 0x20);

/** Posts a body of so many bytes without a token, and goes on sending until it is cut off; the status that came. */
export function postLarge(url: string, bytes: number): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => {
      socket.write(
        `POST /api/clusters/-/pod-events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${bytes}\r\n\r\n`,
      );
      let left = bytes;
      const more = (): void => {
        while (left > 0 && !socket.destroyed) {
          left -= chunk.length;
          if (!socket.write(chunk)) return;
        }
      };
      socket.on('drain', more);
      more();
    });
    socket.setEncoding('latin1').on('data', (part) => (answer += String(part)));
    socket.on('error', () => undefined).on('close', () => resolve(answer.slice(9, 12)));
    socket.setTimeout(30_000, () => socket.destroy());
  });
}

/** What a caller without a token gets from the app itself, and after how long. */
export async function askApp(url: string): Promise<{ readonly status: number; readonly ms: number }> {
  const startedAt = performance.now();
  const answer = await fetch(`${url}/api/clusters/-/pod-events`, { method: 'POST', body: '{}' });
  await answer.body?.cancel();
  return { status: answer.status, ms: performance.now() - startedAt };
}

/** The master key, out of the app's own storage. */
export async function masterKey(rig: Rig): Promise<string> {
  const { Values } = z
    .object({ Values: z.looseObject({ AzureWebJobsStorage: z.string() }) })
    .parse(JSON.parse(readFileSync(join(rig.dir, 'local.settings.json'), 'utf8')));
  const endpoint = /BlobEndpoint=([^;]+)/.exec(Values.AzureWebJobsStorage)?.[1] ?? '';
  const status = `${rig.host.url}/admin/host/status`;
  // The first that asks with a key has them made; the host's id is in a lock's path too, and this names it.
  await fetch(status, { headers: { 'x-functions-key': 'none' } });
  const sas = blobSas({ resourceTypes: 'co', permissions: 'rl', expiresAt: new Date(Date.now() + 600_000) });
  const container = `${endpoint}/azure-webjobs-secrets`;
  const list = await (await fetch(`${container}?restype=container&comp=list&${sas}`)).text();
  const name = /<Name>([^<]+\/host\.json)<\/Name>/.exec(list)?.[1];
  if (name === undefined) throw new Error(`the host has no keys in ${container}: ${list.slice(0, 500)}`);
  const text = await (await fetch(`${container}/${name}?${sas}`)).text();
  const keys = z.object({ masterKey: z.object({ value: z.string() }) });
  return keys.parse(JSON.parse(text.replace(/^\uFEFF/, ''))).masterKey.value;
}
