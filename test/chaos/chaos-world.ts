import { createAppProcess } from '../../infra/local/sim/app-process.ts';
import { createMemoryCluster } from '../../infra/local/sim/memory-cluster.ts';
import type { MemoryCluster } from '../../infra/local/sim/memory-cluster.ts';
import { createMemoryImageRegistry } from '../../infra/local/sim/memory-image-registry.ts';
import { createMemoryKeptLogs } from '../../infra/local/sim/memory-kept-logs.ts';
import { createMemoryTable } from '../../infra/local/sim/memory-table.ts';
import type { MemoryTable } from '../../infra/local/sim/memory-table.ts';
import { allPods, nodePartition } from '../../shared/adapters/tables/keys.ts';
import type { Deps } from '../../shared/app/deps.ts';
import { isTerminalPhase } from '../../shared/core/kubernetes/pod.ts';
import type { PodRow } from '../../shared/core/reconcile/pod-row.ts';
import { parsePodRow } from '../../shared/wire/rows.ts';
import { parseSettings } from '../../shared/wire/settings.ts';
import type { Settings } from '../../shared/wire/settings.ts';
import { clusterUid } from '../app/world.ts';
import { noon } from '../fixtures/pods.ts';
import { settingsOf } from '../fixtures/settings.ts';
import { ArmMeter } from './arm-meter.ts';
import type { ArmGrants } from './arm-meter.ts';
import { ArmServer } from './arm-server.ts';
import type { Incarnation } from './arm-server.ts';
import { FaultSource } from './faults.ts';
import type { Plan } from './fault-kinds.ts';
import type { Outage } from './faults.ts';
import { Journal } from './journal.ts';
import { createPopulation, images } from './population.ts';
import { faultyGroups, faultyKubernetes, faultyStore } from './ports.ts';
import { Process } from './processes.ts';
import type { ProcessParts } from './processes.ts';
import type { Life } from './process.ts';
import { Recorder } from './recorder.ts';
import { Scheduler } from './scheduler.ts';
import { createChance } from './seed.ts';
import { Users } from './users.ts';

export interface WorldParts {
  readonly seed: number;
  readonly pods: number;
  readonly faultRate: number;
  /** Nothing goes wrong after this time, in ms from the start. */
  readonly faultsUntilMs: number;
  readonly createWithinMs: number;
  readonly outages: readonly Outage[];
  readonly keeps: (uid: string) => boolean;
}

export const nodes = ['aci-1', 'aci-2'] as const;
export const start = noon;
/** Of all calls: about as many as there are pods in a run. */
const killRate = 1 / 2_500;
const freezeRate = 1 / 10_000;
/** The tables are older than the rule of the birth marker asks. */
const tablesAgeMs = 120_000;

/** Cluster, ARM, tables and the processes of the app on one virtual clock, and the faults between them. */
export class ChaosWorld {
  readonly scheduler = new Scheduler(start - tablesAgeMs);
  readonly cluster: MemoryCluster;
  readonly table: MemoryTable;
  /** Blob storage, in which nothing goes wrong. */
  readonly keptLogs = createMemoryKeptLogs();
  readonly imageRegistry = createMemoryImageRegistry();
  readonly arm: ArmServer;
  readonly meter: ArmMeter;
  readonly faults: FaultSource;
  readonly journal: Journal;
  readonly recorder = new Recorder();
  readonly users: Users;
  readonly settings: Settings;
  readonly secret: string;
  /** All that was written where no secret may stand, as far as it had one. */
  readonly leaks: string[] = [];
  readonly violations: string[] = [];
  readonly tablesLostAt: number[] = [];
  readonly #parts: WorldParts;

  constructor(parts: WorldParts) {
    this.#parts = parts;
    const { scheduler } = this;
    const now = (): number => scheduler.now;
    this.secret = `planted-${parts.seed}-secret`;
    const grants = { createsPer5Minutes: parts.pods * 2, createsPerHour: parts.pods * 6 };
    this.cluster = createMemoryCluster({ now, uid: clusterUid });
    this.table = createMemoryTable({ now });
    this.journal = new Journal(now, parts.keeps);
    this.settings = readSettings(grants);
    this.meter = new ArmMeter(now, grants);
    this.arm = new ArmServer({
      now,
      in: (ms, fire) => scheduler.in(ms, fire),
      images,
      // Room for the groups, which finished ones keep; short of cores while all of them are there.
      quota: { groups: parts.pods * 2, cores: Math.max(4, parts.pods * 0.8) },
      note: (uid, line) => this.journal.note(uid, line),
      onBody: (uid, readable) => this.#see(uid, readable, 'a plain member of a group'),
      evidenceOf: (uid) => this.#evidenceOf(uid),
    });
    this.faults = new FaultSource({
      chance: createChance(parts.seed, 'faults'),
      rate: parts.faultRate,
      until: start + parts.faultsUntilMs,
      now,
      outages: parts.outages,
      killRate: parts.faultRate === 0 ? 0 : killRate,
      freezeRate: parts.faultRate === 0 ? 0 : freezeRate,
    });
    this.table.forceRow(nodePartition({ cluster: clusterUid, node: 'none' }), { rowKey: 'x', text: '' });
    const chance = createChance(parts.seed, 'users');
    const { installation } = { installation: this.settings.INSTALLATION };
    const population = createPopulation({
      chance,
      pods: parts.pods,
      createWithinMs: parts.createWithinMs,
      disturbWithinMs: parts.faultsUntilMs,
      nodes,
      secret: this.secret,
    });
    const { cluster, arm, journal, recorder, secret } = this;
    this.users = new Users(
      { scheduler, cluster, arm, journal, recorder, chance, installation, secret },
      population.map((plan) => ({ ...plan, createAtMs: plan.createAtMs + tablesAgeMs })),
    );
    this.cluster.watchPods((change, pod) => {
      this.journal.note(
        pod.metadata.uid,
        `API: ${change}, ${pod.status.phase} ${statesOf(pod.status.containerStatuses)}`,
      );
      this.recorder.see(change, pod);
      this.#see(pod.metadata.uid, JSON.stringify(pod.status), 'a status');
      this.users.onChange(pod);
    });
  }

  newProcess(name: string): Process {
    const { scheduler, faults, journal } = this;
    const parts: ProcessParts = {
      scheduler,
      faults,
      journal,
      chance: createChance(this.#parts.seed, name),
      createDeps: (life) => this.#createDeps(life),
    };
    return new Process(name, parts);
  }

  loseTables(): void {
    this.journal.note('', 'all tables are lost');
    this.tablesLostAt.push(this.scheduler.now);
    this.table.clear();
  }

  /** The rows of all nodes, by UID. */
  rows(): ReadonlyMap<string, PodRow> {
    const rows = nodes.flatMap((node) => this.table.readPartition(nodePartition({ cluster: clusterUid, node })));
    return new Map(
      rows
        .filter(({ rowKey }) => rowKey >= allPods.from && rowKey <= allPods.to)
        .flatMap(({ text }) => {
          const parsed = parsePodRow(text);
          return parsed.kind === 'row' ? [[parsed.value.uid, parsed.value] as const] : [];
        }),
    );
  }

  #createDeps(life: Life): Deps {
    const chance = createChance(this.#parts.seed, life.name);
    const now = (): number => this.scheduler.now;
    const tell = (message: string, fields?: object): void =>
      this.#see('', `${message} ${JSON.stringify(fields ?? {})}`, 'a log');
    const log = { info: tell, warn: tell };
    const store = faultyStore(life, {
      table: this.table,
      now,
      lagMs: chance.between(0, 1_000),
      log,
      onWrite: (text) => this.#see('', text, 'a row'),
    });
    const interfere = (plan: Plan, uid: string, method: string): void => this.#interfere(plan, uid, method);
    const { arm: server, meter, settings } = this;
    const { groups, budgets } = faultyGroups(life, { server, meter, settings, store, log });
    return createAppProcess({
      settings: this.settings,
      log,
      store,
      keptLogs: this.keptLogs,
      imageRegistry: this.imageRegistry,
      groups,
      cluster: {
        api: faultyKubernetes(this.cluster.api, life, interfere),
        nodeApi: (name) => faultyKubernetes(this.cluster.nodeApi(name), life, interfere),
      },
      random: chance.next,
      clock: life.clock,
      instance: life.name,
      reserveCreate: () => budgets.reserve('write-create'),
    });
  }

  /** O5, at the end: the events too. */
  seeEvents(): void {
    for (const event of this.cluster.events()) this.#see(event.involved.uid, JSON.stringify(event), 'an event');
  }

  #interfere(plan: Plan, uid: string, method: string): void {
    if (plan.kind === '409 UID') this.users.replace(uid);
    if (plan.kind === '409 resourceVersion' && method === 'patchPodStatus') this.users.touch(uid);
    if (method === 'deletePod' && plan.hasEffect) this.#beforeRemoval(uid);
  }

  /** O1: the app removes a pod's object only when ARM has nothing of it any more. */
  #beforeRemoval(uid: string): void {
    const history = this.recorder.histories.get(uid);
    const group = this.arm.incarnations.get(uid)?.at(-1)?.group;
    if (history === undefined || history.isGone || group === undefined) return;
    if (this.arm.groups.readGroup(group) !== undefined)
      this.violations.push(`O1 ${uid}: the app removes the pod while its group is there`);
    if (!isTerminalPhase(history.pod.status.phase))
      this.violations.push(`O3 ${uid}: the app removes the pod in phase ${history.pod.status.phase}`);
  }

  #evidenceOf(uid: string): Incarnation['evidence'] {
    const statuses = this.recorder.histories.get(uid)?.pod.status.containerStatuses ?? [];
    if (statuses.some(({ state }) => state.kind !== 'waiting')) return 'status';
    return this.rows().get(uid)?.intent.kind === 'accepted' ? 'row' : 'none';
  }

  /** O5 */
  #see(uid: string, text: string, where: string): void {
    if (text.includes(this.secret)) this.leaks.push(`O5 ${uid}: a secret stands in ${where}`);
  }
}

const statesOf = (statuses: readonly { readonly state: { readonly kind: string } }[]): string =>
  statuses.map(({ state }) => ('exitCode' in state ? `${state.kind} ${String(state.exitCode)}` : state.kind)).join(',');

function readSettings(grants: ArmGrants): Settings {
  const parsed = parseSettings(
    settingsOf(
      nodes.map((name) => ({ name })),
      {
        ACI_CREATES_PER_5_MINUTES: String(grants.createsPer5Minutes),
        ACI_CREATES_PER_HOUR: String(grants.createsPerHour),
      },
    ),
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
  return parsed.settings;
}
