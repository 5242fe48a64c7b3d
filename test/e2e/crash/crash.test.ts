/**
 * The app's processes die by a real `kill -9` at sampled calls, and its calls fail, on the real control plane with the
 * real Table storage and the real host: DESIGN rules 2 and 3.
 *
 * `CRASH_SEED=7` draws other points; `CRASH_POINT='never: own arm PUT group #1, after'` tries one alone.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pass } from '../../../infra/local/gate/call.ts';
import type { OutsideCall } from '../../../infra/local/gate/call.ts';
import { createRandom } from '../../../infra/local/gate/faults.ts';
import { startGatedCloud, until } from './gated-cloud.ts';
import type { GatedCloud } from './gated-cloud.ts';
import { lifeOf, live, lives } from './lives.ts';
import type { Stage } from './lives.ts';
import { brokenPromises, leftovers, refusals } from './oracles.ts';
import type { Expected } from './oracles.ts';
import { createNamespace, PodWatch } from './pods.ts';
import { arm, Executioner, formatPoint, parsePoint, pointsOf, samplePoints } from './points.ts';
import type { Armed, Point, Target } from './points.ts';

const seed = Number(process.env['CRASH_SEED'] ?? 1);
const only = process.env['CRASH_POINT'];
const wanted = 43;
const atLeast = 40;
/** Taken for points whose call does not come a second time. */
const spares = 20;
/** Lives are led side by side, since most of each is waiting; they begin one after the other. */
const lanes = 18;
const laneDelayMs = 400;
const settledWithinMs = 120_000;

let cloud: GatedCloud;
let stage: Stage;

describe('the real control plane, with a gate between the app and its outside worlds', () => {
  beforeAll(async () => {
    cloud = await startGatedCloud();
    await createNamespace(cloud, 'points');
    stage = { cloud, watch: new PodWatch(cloud, 'points'), namespace: 'points' };
  });

  afterAll(async () => {
    await stage.watch.stop();
    await cloud.stop();
  });

  it(`a kill -9 before or after any outside call loses nothing: ${only ?? `CRASH_SEED=${seed}`}`, async () => {
    const points = only === undefined ? await drawSample() : [parsePoint(only)];
    const tries = await tryPoints(points);
    const broken = await brokenPromises(cloud, stage.watch.histories, tries.map(expectation));
    const settled = await settle(tries);
    expect([...tries.flatMap(({ fault }) => fault ?? []), ...broken, ...settled, ...(await refusals(cloud))]).toEqual(
      [],
    );
    expect(tries.filter(isHit).length).toBeGreaterThanOrEqual(only === undefined ? atLeast : 1);
  });
});

const isHit = ({ armed }: Try): boolean => armed?.killedPid !== undefined;

const replay = (point: Point): string => `CRASH_POINT='${formatPoint(point)}'`;

function expectation({ armed, point, name }: Try): Expected {
  const { codes, shown } = lifeOf(point.life);
  return { uid: armed?.pod.uid ?? '', label: `${name} ${replay(point)}`, puts: [1], codes, shown };
}

/** What is still there of pods that are gone, some time after the last of them went. */
async function settle(tries: readonly Try[]): Promise<string[]> {
  const uids = tries.flatMap(({ armed, fault }) => (fault === undefined && armed !== undefined ? armed.pod.uid : []));
  const giveUpAt = Date.now() + settledWithinMs;
  for (;;) {
    const left = await leftovers(cloud, uids);
    if (left.length === 0 || Date.now() > giveUpAt) return left;
    await sleep(500);
  }
}

/** Leads each life once, undisturbed, and draws from all calls that the app made meanwhile. */
async function drawSample(): Promise<Point[]> {
  const calls: OutsideCall[] = [];
  cloud.gate.judge = (call) => {
    calls.push(call);
    return pass;
  };
  const pods = await Promise.all(
    lives.map(async (life) => {
      const { promise, resolve } = Promise.withResolvers<Target>();
      await live(stage, life, `calm-${life.name}`, resolve);
      return { life: life.name, pod: await promise };
    }),
  );
  const left = await until(
    'the rows of the first pods are gone',
    () =>
      leftovers(
        cloud,
        pods.map(({ pod }) => pod.uid),
      ),
    (rows) => rows.length === 0,
    settledWithinMs,
  );
  const all = pods.flatMap(({ life, pod }) => pointsOf(life, pod, calls));
  console.log(`${calls.length} calls and ${all.length} crash points in ${lives.length} undisturbed lives`, ...left);
  return samplePoints(all, wanted + spares, createRandom(seed));
}

interface Try {
  readonly name: string;
  readonly point: Point;
  armed: Armed | undefined;
  goneAt: number | undefined;
  fault: string | undefined;
}

/** A fresh pod and a kill for each point, side by side; a point that is not reached is followed by a spare one. */
async function tryPoints(points: readonly Point[]): Promise<Try[]> {
  const startedAt = Date.now();
  const executioner = new Executioner();
  cloud.gate.judge = (call) => executioner.judge(call);
  const waiting = points.map((point) => ({ point, triesLeft: 2 }));
  const tries: Try[] = [];
  const isEnough = (): boolean => tries.filter((one) => one.goneAt === undefined || isHit(one)).length >= wanted;
  const lead = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = isEnough() ? undefined : waiting.shift()) {
      const attempt = begin(next.point, tries.length);
      tries.push(attempt);
      await tryPoint(executioner, attempt);
      if (!isHit(attempt) && next.triesLeft > 0) waiting.unshift({ ...next, triesLeft: next.triesLeft - 1 });
    }
  };
  await Promise.all(
    Array.from({ length: Math.min(lanes, points.length) }, async (_, lane) => {
      await sleep(lane * laneDelayMs);
      await lead();
    }),
  );
  cloud.gate.judge = () => pass;
  report(tries, startedAt);
  return tries;
}

const begin = (point: Point, index: number): Try => ({
  name: `life-${String(index).padStart(3, '0')}`,
  point,
  armed: undefined,
  goneAt: undefined,
  fault: undefined,
});

async function tryPoint(executioner: Executioner, attempt: Try): Promise<void> {
  const { point, name } = attempt;
  try {
    await live(stage, lifeOf(point.life), name, (pod) => {
      attempt.armed = arm(point, pod);
      executioner.add(attempt.armed);
    });
    attempt.goneAt = Date.now();
  } catch (error) {
    attempt.fault = `${name} ${replay(point)}: O7: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    if (attempt.armed !== undefined) executioner.remove(attempt.armed);
  }
}

/** With `CRASH_TRACE=1`, every call about each pod. */
const traceOf = ({ armed }: Try): string[] =>
  process.env['CRASH_TRACE'] === undefined ? [] : (armed?.trace.map((line) => `      ${line}`) ?? []);

function report(tries: readonly Try[], startedAt: number): void {
  const hit = tries.filter(isHit);
  const kinds = Map.groupBy(hit, ({ point }) => `${point.call.split(' ')[0]} ${point.moment}`);
  const counts = [...kinds].map(([kind, of]) => `${of.length} ${kind}`).sort();
  console.log(
    [
      `${hit.length} points tried with a kill -9 (${counts.join(', ')}) in ${seconds(Date.now() - startedAt)}`,
      `from a kill to the end of its pod at most ${seconds(Math.max(...hit.map(lifeAfter)))}`,
      ...hit.flatMap((one) => [
        `  ${one.name} +${seconds(lifeAfter(one))}  ${formatPoint(one.point)}`,
        ...traceOf(one),
      ]),
      `${tries.length - hit.length} more lives whose point was not reached, or not without hurting another pod`,
      `again: CRASH_SEED=${seed} npx vitest run --project cluster test/e2e/crash; one alone: ${replay(hit[0]?.point ?? nowhere)} …`,
    ].join('\n'),
  );
}

const nowhere: Point = { life: 'never', whose: 'own', call: 'arm PUT group', nth: 1, moment: 'after' };

const lifeAfter = ({ armed, goneAt }: Try): number => (goneAt ?? Date.now()) - (armed?.killedAt ?? 0);

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
