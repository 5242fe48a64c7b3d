import { nodesOf } from '../../infra/local/sim/app-process.ts';
import type { WorldFault } from '../../infra/local/sim/faults/vocabulary.ts';
import { heartbeat } from '../../shared/app/heartbeat.ts';
import { sweep } from '../../shared/app/sweep.ts';
import type { Deps, NodeDeps } from '../../shared/app/deps.ts';
import type { GroupObservation } from '../../shared/core/group/group.ts';
import { ChaosWorld, nodes, start } from './chaos-world.ts';
import type { Outage } from './faults.ts';
import { drainedTruly } from './drain-oracles.ts';
import { leftOver, oneGroupEach, ranOnce, reportedNothing, trueEnds, unsettled, withinBudget } from './oracles.ts';
import type { Evidence } from './oracles.ts';
import type { Place } from '../../infra/local/sim/processes/place.ts';
import { ChaosAgents } from './agents.ts';
import { images } from '../../infra/local/sim/pods/images.ts';
import { ChaosRelay } from './relay.ts';
import { createChance } from '../../infra/local/sim/time/chance.ts';
import type { Chance } from '../../infra/local/sim/time/chance.ts';

export interface ChaosOptions {
  readonly seed: number;
  readonly pods: number;
  /** Part of the calls that something befalls; 0.1 unless given. */
  readonly faultRate?: number;
  /** Whose history is kept. */
  readonly trace?: readonly string[];
}

export interface ChaosReport {
  readonly seed: number;
  readonly pods: number;
  readonly violations: readonly string[];
  /** Of all calls and all that happened: equal for equal options. */
  readonly digest: string;
  readonly calls: number;
  /** By `port: kind`. */
  readonly faults: ReadonlyMap<string, number>;
  /** From the last fault until all had come to rest, in virtual ms. */
  readonly settledAfterMs: number;
  /** Programs that agents were told to end, and those whose end the app was told of. */
  readonly drained: { readonly told: number; readonly taken: number };
  readonly tookMs: number;
  readonly history: ReadonlyMap<string, readonly string[]>;
}

const minute = 60_000;
/** Users create within the first minutes; things go wrong until the last. */
const createWithinMs = 8 * minute;
const faultsUntilMs = 20 * minute;
/**
 * O7: all is at rest so long after the last fault. The longest back-off is 5 minutes, a resync comes every 5, orphans that
 * nothing explains are held for 10 (rule 4 of docs/architecture.md), and the budget's queues empty meanwhile.
 */
export const settleWithinMs = 20 * minute;
const checkEveryMs = 10_000;
const httpInstances = 3;

/** Plays one seed: pods live and die while calls fail; afterwards all must be as if nothing had ever failed. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const began = performance.now();
  const { seed, pods, faultRate = 0.1, trace = [] } = options;
  const chance = createChance(seed, 'plot');
  const traced = new Set(trace);
  const world = new ChaosWorld({
    seed,
    pods,
    faultRate,
    faultsUntilMs,
    createWithinMs,
    outages: faultRate === 0 ? [] : planOutages(chance),
    keeps: (uid) => traced.has(uid),
  });
  const processes = startApp(world, chance, faultRate);
  if (faultRate > 0) plot(world, chance);
  await world.scheduler.run(start + faultsUntilMs);
  const settledAfterMs = await settle(world);
  const evidence = await gather(world, world.arm.runs());
  world.seeEvents();
  const violations = [
    ...world.violations,
    ...processes.flatMap(({ bugs }) => bugs.map((bug) => `bug: ${bug}`)),
    ...oneGroupEach(evidence),
    ...ranOnce(evidence),
    ...trueEnds(evidence),
    ...reportedNothing(evidence),
    ...drainedTruly(evidence, world.agents?.told ?? []),
    ...withinBudget(world.meter.refused),
    ...unsettled(evidence, new Set(world.rows().keys())),
    ...leftOver(evidence, world.rows()),
  ];
  return {
    seed,
    pods,
    violations,
    digest: world.journal.digest(),
    calls: world.faults.calls,
    faults: world.faults.counts,
    settledAfterMs,
    drained: drainedIn(world),
    tookMs: performance.now() - began,
    history: new Map(trace.map((uid) => [uid, world.journal.linesOf(uid)])),
  };
}

function drainedIn({ agents }: ChaosWorld): ChaosReport['drained'] {
  const told = agents?.told ?? [];
  return { told: told.length, taken: told.filter(({ taken }) => taken !== undefined).length };
}

/** Times in which a port is away as a whole. */
function planOutages(chance: Chance): readonly Outage[] {
  const outages: Outage[] = [];
  const add = (outage: Pick<Outage, 'port' | 'kind' | 'process'>, shortestMs: number, longestMs: number): void => {
    const from = start + chance.between(minute, faultsUntilMs - 2 * minute);
    outages.push({ ...outage, from, to: from + chance.between(shortestMs, longestMs) });
  };
  add({ port: 'tables', kind: 'port down' }, 20_000, 90_000);
  add({ port: 'kubernetes', kind: 'port down' }, 20_000, 90_000);
  add({ port: 'arm', kind: 'port down' }, 20_000, 90_000);
  add({ port: 'registry', kind: 'port down' }, 60_000, 240_000);
  add({ port: 'arm', kind: '409 ServiceUnavailable' }, 60_000, 180_000);
  for (let storm = 0; storm < 10; storm += 1) add({ port: 'tables', kind: 'ETag storm' }, 1_000, 6_000);
  for (let token = 0; token < 4; token += 1) {
    add({ port: 'kubernetes', kind: 'token expired', process: `http-${token % httpInstances}/1` }, 3_000, 30_000);
    add({ port: 'arm', kind: 'token expired', process: 'sweep/1' }, 3_000, 30_000);
  }
  return outages;
}

/** What happens once or a few times in a run. */
function plot(world: ChaosWorld, chance: Chance): void {
  const { scheduler, users, faults } = world;
  const once = (name: WorldFault, act: () => void): void =>
    scheduler.at(start + chance.between(2 * minute, faultsUntilMs - minute), () => {
      faults.count(`plot: ${name}`);
      act();
    });
  once('tables lost', () => world.loseTables());
  // Once more while most pods are new, and their PUTs on the way.
  scheduler.at(start + chance.between(minute, createWithinMs), () => world.loseTables());
  once('node deleted', () => users.deleteNode(nodes[1]));
  once('node flaps', () => users.flap(nodes[0]));
}

function startApp(world: ChaosWorld, chance: Chance, rate: number): readonly Place[] {
  const { scheduler, faults, cluster } = world;
  const http: readonly [Place, ...Place[]] = [
    world.newProcess('http-0'),
    ...Array.from({ length: httpInstances - 1 }, (_, index) => world.newProcess(`http-${index + 1}`)),
  ];
  const relay = new ChaosRelay({
    scheduler,
    faults,
    chance: createChance(world.faults.calls, 'relay'),
    rate,
    instances: http,
    listPods: () => cluster.pods.list(),
  });
  cluster.watchPods((_, pod) => relay.onChange(pod));
  const { AGENT_ROOT_KEYS: keys } = world.settings;
  if (keys !== undefined)
    world.agents = new ChaosAgents({
      scheduler,
      faults,
      chance: createChance(world.faults.calls, 'agents'),
      rate: rate * 2,
      instances: http,
      images,
      keys,
      groups: world.arm.groups,
    });
  if (rate > 0)
    for (let count = 0; count < 3; count += 1)
      scheduler.at(start + chance.between(minute, faultsUntilMs - 2 * minute), () =>
        relay.breakWatch(chance.between(5_000, 90_000)),
      );
  const sweeper = world.newProcess('sweep');
  const beater = world.newProcess('heartbeat');
  startTimer(world, { process: sweeper, everyMs: 30_000, deadlineMs: 45_000, rate }, (deps, own, signal) =>
    sweep(deps, own, { resync: false }, signal),
  );
  startTimer(world, { process: beater, everyMs: 15_000, deadlineMs: 12_000, rate }, heartbeat);
  return [...http, sweeper, beater];
}

interface TimerPlan {
  readonly process: Place;
  readonly everyMs: number;
  readonly deadlineMs: number;
  readonly rate: number;
}

/** A timer is one invocation at a time, and may be late or left out. */
function startTimer(
  { scheduler, faults }: ChaosWorld,
  { process, everyMs, deadlineMs, rate }: TimerPlan,
  run: (deps: Deps, own: readonly NodeDeps[], signal: AbortSignal) => Promise<unknown>,
): void {
  const chance = createChance(everyMs, process.name);
  let isBusy = false;
  const fire = (): void => {
    scheduler.in(everyMs, fire);
    if (isBusy) return;
    const isMissed = !faults.isOver && chance.isHit(rate);
    if (isMissed) {
      faults.count('timer: missed');
      return;
    }
    isBusy = true;
    const invocation = process.invoke(deadlineMs, (deps, signal) => run(deps, nodesOf(deps), signal));
    void invocation.finally(() => {
      isBusy = false;
    });
  };
  fire();
}

/** Lets time pass until all has been at rest at two polls in a row. */
async function settle(world: ChaosWorld): Promise<number> {
  const { scheduler } = world;
  const from = scheduler.now;
  let restingSince: number | undefined;
  while (scheduler.now - from < settleWithinMs) {
    await scheduler.run(scheduler.now + checkEveryMs);
    const evidence = await gather(world);
    const rows = world.rows();
    // An end that an agent reported is looked up in ARM a moment later.
    const isAtRest = unsettled(evidence, new Set(rows.keys())).length === 0 && leftOver(evidence, rows).length === 0;
    if (!isAtRest) restingSince = undefined;
    else if (restingSince !== undefined) return restingSince - from;
    else restingSince = scheduler.now;
  }
  return settleWithinMs;
}

async function gather(
  { arm, stories, users, tablesLostAt }: ChaosWorld,
  runs: Evidence['runs'] = new Map(),
): Promise<Evidence> {
  const groups = new Map<string, GroupObservation>();
  for (const name of arm.groups.names()) {
    const seen = await arm.peek(name);
    if (seen !== undefined) groups.set(name, seen);
  }
  return {
    stories,
    incarnations: arm.incarnations,
    groups,
    plans: users.plans,
    tablesLostAt,
    runs,
  };
}
