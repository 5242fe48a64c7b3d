import { join } from 'node:path';
import { startChild } from '../../child.ts';
import type { Child } from '../../child.ts';
import { extensionOf, kubeProxyOf } from '../extensions.ts';
import type { KubeProxyWanted } from '../extensions.ts';
import type { RunUsage, SandboxHandle } from '../group-store.ts';
import { onPath } from '../runtime/engine/backend.ts';
import { azureResolver, groupRules } from './group-rules.ts';
import type { GroupNetworks } from './group-networks.ts';
import type { NetworkKnobs } from './knobs.ts';
import type { Resolver } from './resolver.ts';
import { forwardIn, restoreIn } from './restore-in.ts';
import { StatsServer, answerOf } from './stats-server.ts';

export interface NamespacesOptions {
  /** Holds the programs' log. */
  readonly dir: string;
  readonly knobs: NetworkKnobs;
  readonly resolver: Resolver | undefined;
  /** Of the bridge: the servers for the groups listen there. */
  readonly gateway: string;
  readonly log: (line: string) => void;
}

interface Group {
  readonly pid: number;
  /** Where the extension realtime-metrics answers for it; undefined: it has none. */
  measuredAt: string | undefined;
  proxy: Child<unknown> | undefined;
  starting: Promise<void> | undefined;
  /** How often the proxy ended by itself. */
  ends: number;
}

const programs = ['nsenter', 'iptables-restore', 'iptables-save'] as const;
/** Main containers wait so long for the first rules, and no longer: the API server may be out of reach. */
const firstRulesMs = 3000;
const restartMs = { first: 500, most: 60_000 };

/** Why the networks of groups can not be entered on this machine; undefined: they can. */
export function whyNoNamespaces(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root on Linux enters their networks';
  const missing = programs.filter((program) => onPath(program) === undefined);
  return missing.length === 0
    ? undefined
    : `${missing.join(' and ')} not found (Debian: apt-get install util-linux iptables)`;
}

/** Works in the network namespaces of the groups' sandboxes, by `nsenter`. */
export class Namespaces implements GroupNetworks {
  readonly nameServer: string | undefined;
  readonly resolver: string | undefined;
  readonly #options: NamespacesOptions;
  readonly #groups = new Map<string, Group>();
  #knobs: NetworkKnobs;
  #stats: Promise<StatsServer> | undefined;
  /** What iptables had against the last rules: the same of each group. */
  #fault: string | undefined;

  constructor(options: NamespacesOptions) {
    this.#options = options;
    this.#knobs = options.knobs;
    const place = options.resolver?.place;
    this.resolver = place === undefined ? undefined : `${place.address}:${place.port}`;
    this.nameServer = options.resolver === undefined ? undefined : azureResolver;
  }

  async join({ id, pid }: SandboxHandle): Promise<void> {
    if (pid === undefined) return;
    const group: Group = { pid, measuredAt: undefined, proxy: undefined, starting: undefined, ends: 0 };
    this.#groups.set(id, group);
    await this.#write(id, group, true);
  }

  async startExtensions(
    { id, ip }: SandboxHandle,
    body: Parameters<typeof kubeProxyOf>[0],
    usage: () => Promise<readonly RunUsage[]>,
  ): Promise<void> {
    const wanted = kubeProxyOf(body);
    const group = this.#groups.get(id);
    if (group === undefined) return;
    if (ip !== undefined && extensionOf(body, 'realtime-metrics') !== undefined) {
      // A life that follows another in the same sandbox has other containers.
      (await this.#openStats()).set(ip, { id, pid: group.pid, usage });
      if (group.measuredAt === undefined) await this.#measure(id, group, ip);
    }
    if (wanted === undefined) return;
    group.starting ??= this.#startProxy(id, group, wanted);
    await group.starting;
  }

  /** One server for all groups: some bytes of rules each, where a program each would take 45 MB. */
  #openStats(): Promise<StatsServer> {
    return (this.#stats ??= StatsServer.open(this.#options.gateway, () => this.#knobs));
  }

  async #measure(id: string, group: Group, ip: string): Promise<void> {
    group.measuredAt = ip;
    const fault = await forwardIn(group.pid);
    if (fault !== undefined) this.#options.log(`realtime-metrics of a group: ${fault}`);
    await this.#write(id, group, false);
  }

  async #startProxy(id: string, group: Group, wanted: KubeProxyWanted): Promise<void> {
    const ruled = Promise.withResolvers<void>();
    const child = await startChild({
      name: 'kube-proxy',
      command: 'nsenter',
      args: [
        `--net=/proc/${group.pid}/ns/net`,
        process.execPath,
        '--max-semi-space-size=1',
        join(import.meta.dirname, '..', 'kube-proxy', 'main.ts'),
        // Not read; says in a list of processes which cloud of this machine it is of.
        this.#options.dir,
      ],
      // Nothing else of ours is its business. Compiled once it takes half the time and memory in each further group.
      env: {
        PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`,
        NODE_COMPILE_CACHE: join(this.#options.dir, 'compiled'),
      },
      logFile: join(this.#options.dir, 'kube-proxy.log'),
      stdin: 'pipe',
      onParentDeath: 'SIGKILL',
      onLine: (line) => {
        if (line.includes(' rules of ')) ruled.resolve();
      },
    });
    group.proxy = child;
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(JSON.stringify({ ...wanted, group: id, watchSeconds: this.#knobs.kubeProxyWatchSeconds }));
    void child.exited.then(() => this.#restartLater(id, group, wanted));
    const timer = setTimeout(() => ruled.resolve(), firstRulesMs);
    await Promise.race([ruled.promise, child.exited]);
    clearTimeout(timer);
  }

  /** As it ended by itself: what ends again and again is waited for longer each time. */
  #restartLater(id: string, group: Group, wanted: KubeProxyWanted): void {
    if (this.#groups.get(id) !== group) return;
    const again = (): void => {
      if (this.#groups.get(id) !== group) return;
      this.#startProxy(id, group, wanted).catch((error: unknown) => this.#options.log(String(error)));
    };
    group.ends += 1;
    setTimeout(again, Math.min(restartMs.most, restartMs.first * 2 ** group.ends)).unref();
  }

  async leave(sandboxId: string): Promise<void> {
    const group = this.#groups.get(sandboxId);
    this.#groups.delete(sandboxId);
    if (group?.measuredAt !== undefined) (await this.#stats)?.remove(group.measuredAt);
    await group?.starting?.catch(() => undefined);
    await group?.proxy?.stop(1000);
  }

  async turn(knobs: NetworkKnobs): Promise<void> {
    this.#knobs = knobs;
    await this.#options.resolver?.turn(knobs.vnetDns);
    await Promise.all([...this.#groups].map(([id, group]) => this.#write(id, group, false)));
  }

  async #write(id: string, { pid, measuredAt }: Group, isFirst: boolean): Promise<void> {
    const place = this.#options.resolver?.place;
    const { droppedPorts, unroutedRanges } = this.#knobs;
    const isMeasured = measuredAt !== undefined && answerOf(this.#knobs, id) !== 'refused';
    const rules = { resolver: place, stats: isMeasured ? await this.#stats : undefined, droppedPorts, unroutedRanges };
    const fault = await restoreIn(pid, (vanish) => groupRules({ ...rules, vanish, isFirst }));
    if (fault !== undefined && fault !== this.#fault) this.#options.log(`rules of a group's network: ${fault}`);
    this.#fault = fault;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#groups.keys()].map((id) => this.leave(id)));
    await this.#options.resolver?.close();
    await (await this.#stats)?.close();
  }
}
