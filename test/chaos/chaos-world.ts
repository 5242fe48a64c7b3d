import { createAppProcess } from '../../infra/local/sim/app-process.ts';
import { createMemoryCluster } from '../../infra/local/sim/memory-cluster.ts';
import type { MemoryCluster } from '../../infra/local/sim/memory-cluster.ts';
import { createFilledRegistry } from './filled-registry.ts';
import { createMemoryKeptLogs } from '../../infra/local/sim/memory-kept-logs.ts';
import { createMemoryTable } from '../../infra/local/sim/memory-table.ts';
import type { MemoryTable } from '../../infra/local/sim/memory-table.ts';
import { allPods, nodePartition } from '../../shared/adapters/tables/keys.ts';
import type { Deps } from '../../shared/app/deps.ts';
import type { PodRow } from '../../shared/core/reconcile/pod-row.ts';
import { PodStories } from '../../infra/local/sim/oracles/pod-stories.ts';
import type { PodStory } from '../../infra/local/sim/oracles/pod-stories.ts';
import { checkRemoval } from '../../infra/local/sim/oracles/removal.ts';
import { SecretWatch } from '../../infra/local/sim/oracles/secrets.ts';
import type { Report } from '../../infra/local/sim/oracles/violation.ts';
import { parsePodRow } from '../../shared/wire/rows.ts';
import { parseSettings } from '../../shared/wire/settings.ts';
import type { Settings } from '../../shared/wire/settings.ts';
import { noon } from '../fixtures/pods.ts';
import { createMemoryAgentWords } from '../../infra/local/sim/memory-agent-words.ts';
import { agentSettings, clusterUid, settingsOf } from '../fixtures/settings.ts';
import type { ChaosAgents } from './agents.ts';
import { ArmMeter } from './arm-meter.ts';
import type { ArmGrants } from './arm-meter.ts';
import { ArmServer } from './arm-server.ts';
import type { Incarnation } from './arm-server.ts';
import { FaultSource } from './faults.ts';
import type { Plan } from '../../infra/local/sim/faults/request-plan.ts';
import type { Outage } from './faults.ts';
import { Journal } from './journal.ts';
import { images } from '../../infra/local/sim/pods/images.ts';
import { createPopulation } from './population.ts';
import { faultyGroups, faultyKubernetes, faultyRegistry, faultyStore, forgetfulWords } from './ports.ts';
import { Place } from '../../infra/local/sim/processes/place.ts';
import type { PlaceParts } from '../../infra/local/sim/processes/place.ts';
import type { TimedProcess } from '../../infra/local/sim/processes/timed-process.ts';
import { Scheduler } from '../../infra/local/sim/time/scheduler.ts';
import { createChance } from '../../infra/local/sim/time/chance.ts';
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
  readonly imageRegistry = createFilledRegistry();
  readonly arm: ArmServer;
  readonly meter: ArmMeter;
  readonly faults: FaultSource;
  readonly journal: Journal;
  readonly stories: ReadonlyMap<string, PodStory>;
  readonly users: Users;
  readonly settings: Settings;
  readonly secret: string;
  /** Of whom the app hears; set once there is an app. */
  agents: ChaosAgents | undefined;
  readonly violations: string[] = [];
  readonly tablesLostAt: number[] = [];
  readonly #parts: WorldParts;
  readonly #secrets: SecretWatch;

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
      onBody: (uid, readable) => this.#secrets.see('a plain member of a group', readable, uid),
      evidenceOf: (uid) => this.#evidenceOf(uid),
      onGroup: (incarnation, body) => this.agents?.onGroup(incarnation, body),
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
    const { cluster, arm, journal, secret } = this;
    const recorder = new PodStories({ now, report: this.#report });
    this.stories = recorder.all;
    this.#secrets = new SecretWatch(new RegExp(secret), this.#report);
    this.users = new Users(
      { scheduler, cluster, arm, journal, chance, installation, secret },
      population.map((plan) => ({ ...plan, createAtMs: plan.createAtMs + tablesAgeMs })),
    );
    this.cluster.watchPods((change, pod) => {
      this.journal.note(
        pod.metadata.uid,
        `API: ${change}, ${pod.status.phase} ${statesOf(pod.status.containerStatuses)}`,
      );
      recorder.see(change, pod);
      this.#secrets.see('a status', pod.status, pod.metadata.uid);
      this.users.onChange(pod);
    });
  }

  newProcess(name: string): Place {
    const { scheduler, faults, journal } = this;
    const parts: PlaceParts = {
      scheduler,
      faults,
      onAnswer: (process, call, plan, result) => journal.call(process, call, plan, result),
      onDeath: (process) => journal.note('', `${process} dies`),
      chance: createChance(this.#parts.seed, name),
      createDeps: (process) => this.#createDeps(process),
    };
    return new Place(name, parts);
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

  #createDeps(process: TimedProcess): Deps {
    const chance = createChance(this.#parts.seed, process.name);
    const now = (): number => this.scheduler.now;
    const tell = (message: string, fields?: object): void => this.#secrets.see('a log', [message, fields]);
    const log = { info: tell, warn: tell };
    const store = faultyStore(process, {
      table: this.table,
      now,
      lagMs: chance.between(0, 1_000),
      log,
      onWrite: (text) => this.#secrets.see('a row', text),
    });
    const interfere = (plan: Plan, uid: string, method: string): void => this.#interfere(plan, uid, method);
    const { arm: server, meter, settings } = this;
    const { groups, budgets } = faultyGroups(process, { server, meter, settings, store, log });
    return createAppProcess({
      settings: this.settings,
      log,
      store,
      keptLogs: this.keptLogs,
      imageRegistry: faultyRegistry(this.imageRegistry, process),
      groups,
      agentWords: forgetfulWords(
        createMemoryAgentWords(groups, (place) => this.agents?.at(place)),
        { chance, rate: this.#parts.faultRate * 2, faults: this.faults },
      ),
      cluster: {
        api: faultyKubernetes(this.cluster.api, process, interfere),
        nodeApi: (name) => faultyKubernetes(this.cluster.nodeApi(name), process, interfere),
      },
      random: chance.next,
      clock: process.clock,
      instance: process.name,
      reserveCreate: () => budgets.reserve('write-create'),
    });
  }

  /** O5, at the end: the events too. */
  seeEvents(): void {
    for (const event of this.cluster.events()) this.#secrets.see('an event', event, event.involved.uid);
  }

  #interfere(plan: Plan, uid: string, method: string): void {
    if (plan.kind === '409 UID') this.users.replace(uid);
    if (plan.kind === '409 resourceVersion' && method === 'patchPodStatus') this.users.touch(uid);
    if (method === 'deletePod' && plan.hasEffect) this.#beforeRemoval(uid);
  }

  #beforeRemoval(uid: string): void {
    const story = this.stories.get(uid);
    const group = this.arm.incarnations.get(uid)?.at(-1)?.group;
    if (story === undefined || story.goneAt !== undefined || group === undefined) return;
    checkRemoval(story.pod, this.arm.groups.readGroup(group) !== undefined, this.#report);
  }

  #evidenceOf(uid: string): Incarnation['evidence'] {
    const statuses = this.stories.get(uid)?.pod.status.containerStatuses ?? [];
    if (statuses.some(({ state }) => state.kind !== 'waiting')) return 'status';
    return this.rows().get(uid)?.intent.kind === 'accepted' ? 'row' : 'none';
  }

  readonly #report: Report = (oracle, text, uid) => void this.violations.push(`${oracle} ${uid}: ${text}`);
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
        ...agentSettings,
      },
    ),
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
  return parsed.settings;
}
