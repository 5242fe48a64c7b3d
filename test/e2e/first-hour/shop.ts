/** A cloud with an ordinary and a virtual node, and a shop of three charts in it, whose parts find each other by name. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { createProgress, silentProgress } from '../../../infra/cli/progress.ts';
import { ensureHelm, helm } from '../../../infra/local/cluster/helm.ts';
import { kubectlOutput } from '../../../infra/local/cluster/kubectl.ts';
import { readCloudRecord } from '../../../infra/local/up/cloud-record.ts';
import type { CloudRecord } from '../../../infra/local/up/cloud-record.ts';
import { startCloud } from '../../../infra/local/up/cloud.ts';
import type { Cloud } from '../../../infra/local/up/cloud.ts';
import { runCommand } from '../../../infra/local/up/command-line.ts';
import { repository } from '../../../infra/local/up/host.ts';
import { parseUpOptions } from '../../../infra/local/up/options.ts';
import { until } from '../until.ts';

export const parts = ['front', 'api', 'store'] as const;
export type Part = (typeof parts)[number];
/** On which nodes the pods of a part may be. */
type Place = 'vm' | 'aci' | 'any';
export const namespace = 'shop';

const tolerations = [{ key: 'virtual-kubelet.io/provider', operator: 'Exists' }];
const placeValues: Readonly<Record<Place, object>> = {
  vm: { nodeSelector: { 'kubernetes.io/hostname': 'vm-1' }, tolerations: [] },
  aci: { nodeSelector: { type: 'virtual-kubelet' }, tolerations },
  any: { nodeSelector: {}, tolerations },
};

const groupsSchema = z.object({ groups: z.array(z.object({ tags: z.record(z.string(), z.string()) })) });
const rolloutMs = 180_000;
const folder = import.meta.dirname;

/** What one answer of the shop came from. */
export interface Served {
  readonly status: number;
  readonly text: string;
}

export class Shop {
  readonly cloud: Cloud;
  readonly record: CloudRecord;
  readonly dir: string;
  readonly #helm: string;
  /** Of the ingress; empty before it is open. */
  url = '';

  private constructor(cloud: Cloud, dir: string, helmBinary: string) {
    this.cloud = cloud;
    this.dir = dir;
    this.record = readCloudRecord(dir);
    this.#helm = helmBinary;
  }

  static async open(): Promise<Shop> {
    const dir = await mkdtemp(join(tmpdir(), 'serverless-kubelet-'));
    const args = ['--dir', dir, '--creates-per-hour', '6000', '--relay', 'chart', '--machine'];
    const cloud = await startCloud(parseUpOptions(args, process.env), createProgress());
    const { binary } = await ensureHelm({ progress: silentProgress });
    return new Shop(cloud, dir, binary);
  }

  async close(): Promise<void> {
    await this.cloud.stop();
    if (process.env['KEEP_CLOUD'] === undefined) await rm(this.dir, { recursive: true, force: true });
    else console.log(`logs are kept in ${this.dir}`);
  }

  /** kubectl in the shop's namespace. */
  kubectl(args: readonly string[], options: { readonly input?: string; readonly timeoutMs?: number } = {}) {
    const { kubectl: binary, kubeconfig } = this.record;
    return kubectlOutput(['--namespace', namespace, ...args], { binary, kubeconfig, ...options });
  }

  /** A command of the command line over this cloud, as its operator runs it. */
  command(...args: readonly string[]): Promise<string> {
    return runCommand({ ...this.record, dir: this.dir }, args, () => undefined);
  }

  /** `attach` once more, as the cloud did it; answers what was changed. */
  async attach(...more: readonly string[]): Promise<readonly string[]> {
    const chart = ['--chart', join(repository, 'dist', 'chart'), '--values', join(this.dir, 'chart-values.json')];
    const where = ['--node-address', '127.0.0.1', '--app-url', this.record.audience, '--auth', 'token'];
    const args = ['attach', '--nodes', 'aci-1', ...where, ...chart, '--wait', 'none', '--output', 'json', ...more];
    return z.object({ changes: z.array(z.string()) }).parse(JSON.parse(await this.command(...args))).changes;
  }

  /** All processes of the app are new, as after the package has changed. */
  async restartApp(): Promise<void> {
    const answer = await fetch(`${this.record.hostAdminUrl}/restart`, { method: 'POST' });
    if (!answer.ok) throw new Error(`restart: ${answer.status} ${await answer.text()}`);
  }

  async openIngress(): Promise<void> {
    await this.kubectl(['apply', '-f', '-'], { input: readFileSync(join(folder, 'ingress.yaml'), 'utf8') });
    await this.kubectl(['rollout', 'status', 'deployment/ingress', '--timeout=60s'], { timeoutMs: 70_000 });
    const [port, address] = await Promise.all([
      this.kubectl(['get', 'service', 'ingress', '-o', 'jsonpath={.spec.ports[0].nodePort}']),
      this.kubectl(['get', 'node', 'vm-1', '-o', 'jsonpath={.status.addresses[?(@.type=="InternalIP")].address}']),
    ]);
    this.url = `http://${address}:${port}`;
  }

  /** `helm upgrade --install`; resolves when each pod of the release is ready where it is to be. */
  async install(part: Part, place: Place, version = '1'): Promise<void> {
    const values = JSON.stringify({ ...placeValues[place], version });
    const args = ['upgrade', '--install', part, join(folder, 'charts', part), '--namespace', namespace];
    const { kubeconfig } = this.record;
    const result = await helm([...args, '--values', '-'], { binary: this.#helm, kubeconfig, input: values });
    if (result.code !== 0) throw new Error(`helm upgrade ${part}: ${result.stderr}${result.stdout}`);
    const kind = part === 'store' ? 'statefulset' : 'deployment';
    await this.kubectl(['rollout', 'status', `${kind}/${part}`, `--timeout=${rolloutMs / 1000}s`], {
      timeoutMs: rolloutMs + 10_000,
    }).catch(async (error: unknown) => {
      throw new Error(`${String(error)}\n${await this.kubectl(['get', 'pods,events', '-o', 'wide'])}`);
    });
  }

  /** New pods in place of all of a part, those of before gone. */
  async restart(part: Exclude<Part, 'store'>): Promise<void> {
    const before = await this.kubectl(['get', 'pods', '-l', `app=${part}`, '-o', 'name']);
    await this.kubectl(['rollout', 'restart', `deployment/${part}`]);
    await this.kubectl(['rollout', 'status', `deployment/${part}`, '--timeout=60s'], { timeoutMs: 70_000 });
    await this.kubectl(['wait', '--for=delete', '--timeout=60s', ...before.trim().split('\n')], { timeoutMs: 70_000 });
  }

  /** Where the pods of a part run. */
  async nodesOf(part: Part): Promise<readonly string[]> {
    const names = '{range .items[*]}{.spec.nodeName} {end}';
    const text = await this.kubectl(['get', 'pods', '-l', `app=${part}`, '-o', `jsonpath=${names}`]);
    return [...new Set(text.trim().split(' '))];
  }

  /** One request through the ingress. */
  async ask(path: string): Promise<Served> {
    try {
      const response = await fetch(`${this.url}${path}`, { signal: AbortSignal.timeout(10_000) });
      return { status: response.status, text: await response.text() };
    } catch (error) {
      return { status: 0, text: String(error) };
    }
  }

  /**
   * Asks until it is answered in full: by the API, of this version where one is named, and each replica of the store. Pods
   * of before may answer until each node has heard that they go.
   */
  answered(version = '\\d+'): Promise<Served> {
    const full = new RegExp(`^api ${version} api-\\S+\\nstore-0 \\d+\\nstore-1 \\d+\\n$`);
    return until(
      'the shop answers',
      () => this.ask('/all'),
      ({ status, text }) => status === 200 && full.test(text),
      60_000,
    );
  }

  /** Asks again and again while `work` goes on; answers how often, and what came besides 200. */
  async under(work: () => Promise<unknown>): Promise<{ readonly asked: number; readonly failed: readonly Served[] }> {
    const over = new AbortController();
    const asking = this.#askUntil(over.signal);
    try {
      await work();
    } finally {
      over.abort();
    }
    const served = await asking;
    const failed = served.filter(({ status }) => status !== 200);
    if (failed.length > 0) console.log(await this.#hops());
    return { asked: served.length, failed };
  }

  /** What each hop says of requests that it could not pass on. */
  async #hops(): Promise<string> {
    const logs = ['ingress', 'front'].map((app) => this.kubectl(['logs', '-l', `app=${app}`, '--prefix', '--tail=-1']));
    const lines = (await Promise.all(logs)).join('').split('\n');
    return [...lines.filter((line) => line.includes('upstream')), await this.kubectl(['get', 'events'])].join('\n');
  }

  async #askUntil(over: AbortSignal): Promise<readonly Served[]> {
    const served: Served[] = [];
    while (!over.aborted) {
      served.push(await this.ask('/'));
      await sleep(50);
    }
    return served;
  }

  async groups(): Promise<readonly Record<string, string>[]> {
    const answer = await fetch(`${this.record.emulatorAdminUrl}/_emulator/groups`);
    return groupsSchema.parse(await answer.json()).groups.map(({ tags }) => tags);
  }

  /** Which Secrets the groups of a part's pods have their token from. */
  async tokensOf(part: Part): Promise<readonly string[]> {
    const pods = await this.kubectl(['get', 'pods', '-l', `app=${part}`, '-o', 'jsonpath={.items[*].metadata.name}']);
    const secrets = (await this.groups())
      .filter((tags) => pods.split(' ').includes(tags['kubernetes-pod'] ?? ''))
      .map((tags) => tags['serverless-kubelet-services']?.split('/')[0] ?? '');
    return [...new Set(secrets)];
  }
}
