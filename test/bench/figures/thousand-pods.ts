import type { Section, Figure } from '../figure.ts';
import type { ArmRequest, Run } from '../rig/arm.ts';
import type { Rig } from '../rig/bundles.ts';
import { startCloud } from '../rig/cloud.ts';
import type { Cloud } from '../rig/cloud.ts';
import type { PodNews } from '../rig/cluster.ts';
import { forEachAtOnce, podManifest } from '../rig/pods.ts';
import type { PodKind } from '../rig/pods.ts';
import { residentMiB } from '../rig/relay.ts';
import { percentile } from '../statistics.ts';

export type Say = (text: string) => void;

const servers = 100;
const fewJobs = 100;
const manyJobs = 1000;
const deletes = 50;

/** When the containers end: at 100 pods after their start, at 1,000 after the first of them was created; ms. */
const fewEndMs = { from: 35_000, to: 65_000 };
const manyEndMs = { from: 140_000, to: 240_000 };
/** How long ends and reads are watched at 1,000 pods, and how long the last ends have to be reported. */
const watchedMs = 120_000;
const lastReportedMs = 20_000;

interface Pods {
  /** UIDs by name. */
  readonly uids: Map<string, string>;
}

/** Everything that needs many pods, in one run: polls, lags, creates at ARM's pace, deletes amid them, a restart, memory. */
export async function measureThousandPods(bundles: Rig, dir: string, say: Say): Promise<readonly Section[]> {
  const cloud = await startCloud({ bundles, dir, knobs: { latencyMs: 100 } });
  try {
    const pods: Pods = { uids: new Map() };
    await cloud.time.waitUntil(async () => (await cloud.host.invocations())['pod-events'] !== undefined, {
      withinMs: 30_000,
    });
    say(`${servers} servers and ${fewJobs} jobs are created`);
    await create(cloud, pods, names('server', servers), () => ({ restartPolicy: 'Always' }));
    await create(cloud, pods, names('few', fewJobs), (index) => ({
      restartPolicy: 'Never',
      runMs: fewEndMs.from + ((fewEndMs.to - fewEndMs.from) * index) / fewJobs,
    }));
    await cloud.time.waitUntil(() => phaseCount(cloud, 'few-', 'Succeeded') === fewJobs, {
      withinMs: 180_000,
      everyMs: 1000,
    });
    const few = await lags(cloud, pods, 'few-');
    say(`lag at ${fewJobs}: p50 ${seconds(few, 0.5)} s, p99 ${seconds(few, 0.99)} s`);
    const created = await createMany(cloud, pods, say);
    const memory = cloud.relay === undefined ? undefined : residentMiB(cloud.relay.pid);
    const restart = await measureRestart(cloud, pods, say);
    const many = await measureManyEnds(cloud, pods, say);
    return [
      {
        title: 'From the end of a container to the status of its pod',
        method: `From polls alone, ARM's real buckets, ACI's counts and quotas lifted, 100 ms ARM latency, real time and real processes. Beside the jobs run ${servers} servers. Of the 1,000 a third ends, so that as many run all the time. The end is the runtime's, the status is heard by a watch.`,
        figures: [...lagFigures(fewJobs, few, 10), ...lagFigures(manyJobs, many.lags, 60)],
      },
      {
        title: 'Reads of ARM',
        method: 'Counted in the journal of ARM while nothing but ends happens.',
        figures: many.reads,
      },
      {
        title: '1,000 pods at once',
        method: 'Created as fast as the API server takes them.',
        figures: [...created, restart],
      },
      {
        title: 'Relay',
        method: 'The flags are those that it is deployed with.',
        figures: [
          {
            name: `resident memory with ${servers - deletes + fewJobs + manyJobs} pods`,
            value: memory,
            unit: 'MiB',
            goal: { atMost: 80 },
          },
        ],
      },
    ];
  } finally {
    await cloud.stop();
  }
}

const names = (prefix: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}-${index}`);

async function create(
  cloud: Cloud,
  pods: Pods,
  wanted: readonly string[],
  kind: (index: number) => PodKind,
): Promise<void> {
  await forEachAtOnce([...wanted.entries()], 8, async ([index, name]) => {
    pods.uids.set(name, await cloud.cluster.createPod(podManifest(name, kind(index))));
  });
}

/** How many pods of the prefix were last seen in the phase. */
function phaseCount(cloud: Cloud, prefix: string, phase: string): number {
  const last = new Map<string, PodNews>();
  for (const one of cloud.cluster.news()) if (one.name.startsWith(prefix)) last.set(one.name, one);
  return [...last.values()].filter((one) => one.phase === phase).length;
}

/** From the end of each container, by the runtime's journal, to the first news of a terminal phase; ms. A pod without news counts from now. */
async function lags(cloud: Cloud, pods: Pods, prefix: string): Promise<readonly number[]> {
  const reported = new Map<string, number>();
  for (const { uid, phase, atMs } of cloud.cluster.news())
    if ((phase === 'Succeeded' || phase === 'Failed') && !reported.has(uid)) reported.set(uid, atMs);
  const wanted = new Set([...pods.uids].filter(([name]) => name.startsWith(prefix)).map(([, uid]) => uid));
  const ended = (await cloud.arm.runs()).filter(
    (run): run is Run & { finishedAtMs: number } => wanted.has(run.uid) && run.finishedAtMs !== undefined,
  );
  return ended.map(({ uid, finishedAtMs }) => (reported.get(uid) ?? Date.now()) - finishedAtMs);
}

const seconds = (values: readonly number[], share: number): string => (percentile(values, share) / 1000).toFixed(1);

function lagFigures(count: number, values: readonly number[], goal: number): readonly Figure[] {
  return [
    { name: `${count} job pods, p50`, value: percentile(values, 0.5) / 1000, unit: 's', note: `${values.length} ends` },
    { name: `${count} job pods, p99`, value: percentile(values, 0.99) / 1000, unit: 's', goal: { atMost: goal } },
  ];
}

/** When a job of many starts at ARM's pace: a burst, then ten a second, and 16 s until it runs. */
const startOf = (index: number): number => 16_000 + Math.max(0, index - 130) * 100;

/** Ends follow one another in no order of creation. */
const endOf = (index: number): number =>
  manyEndMs.from + ((manyEndMs.to - manyEndMs.from) * ((index * 7919) % manyJobs)) / manyJobs;

async function createMany(cloud: Cloud, pods: Pods, say: Say): Promise<readonly Figure[]> {
  const startMs = Date.now();
  const doomed = names('server', deletes);
  // A third of the jobs will end; the others stay, so that there are as many all the time.
  const creating = create(cloud, pods, names('many', manyJobs), (index) => ({
    restartPolicy: 'Never',
    ...(index % 3 === 0 ? { runMs: endOf(index) - startOf(index) } : {}),
  }));
  await cloud.time.pause(20_000);
  const deletedAt = new Map<string, number>();
  await forEachAtOnce(doomed, 8, async (name) => {
    deletedAt.set(name, Date.now());
    await cloud.cluster.deletePod(name);
  });
  await creating;
  say(`${manyJobs} pods are in the API server after ${((Date.now() - startMs) / 1000).toFixed(1)} s`);
  const isPut = (request: ArmRequest): boolean => request.method === 'PUT' && request.status < 300;
  let puts = 0;
  const all = await cloud.time.waitUntil(
    async () => {
      const accepted = (await cloud.arm.requests()).filter((one) => isPut(one) && one.atMs >= startMs).length;
      if (accepted - puts >= 100 || accepted >= manyJobs)
        say(`${accepted} groups accepted after ${((Date.now() - startMs) / 1000).toFixed(0)} s`);
      puts = accepted - puts >= 100 ? accepted : puts;
      return accepted >= manyJobs;
    },
    { withinMs: 240_000, everyMs: 2000 },
  );
  const accepted = (await cloud.arm.requests()).filter((one) => isPut(one) && one.atMs >= startMs);
  const tookMs = Math.max(...accepted.map((one) => one.answeredAtMs)) - startMs;
  // Of ARM's writes: creates and stops; 200 at once, then ten a second.
  const isWrite = ({ method, atMs }: ArmRequest): boolean =>
    (method === 'PUT' || method === 'POST') && atMs >= startMs && atMs <= startMs + tookMs;
  const writes = (await cloud.arm.requests()).filter(isWrite).length;
  const neededSeconds = (writes - 200) / 10;
  const gone = new Map(cloud.cluster.news().flatMap((one) => (one.type === 'DELETED' ? [[one.name, one.atMs]] : [])));
  const deleteLags = doomed.map((name) => (gone.get(name) ?? Date.now()) - (deletedAt.get(name) ?? startMs));
  say(`deletes: p50 ${seconds(deleteLags, 0.5)} s, p99 ${seconds(deleteLags, 0.99)} s`);
  return [
    {
      name: '1,000 pods: from the first bind to the last PUT accepted',
      value: all ? tookMs / 1000 : undefined,
      unit: 's',
      goal: { atMost: Math.round(neededSeconds * 11) / 10 },
      note: `${accepted.length} accepted; the goal is 1.1 times what ARM's bucket needs for the ${writes} writes of that time, ${neededSeconds.toFixed(0)} s`,
    },
    {
      name: '50 deletes amid it, from the request to the pod being gone: p50',
      value: percentile(deleteLags, 0.5) / 1000,
      unit: 's',
    },
    { name: 'the same, p99', value: percentile(deleteLags, 0.99) / 1000, unit: 's', goal: { atMost: 10 } },
  ];
}

async function measureRestart(cloud: Cloud, pods: Pods, say: Say): Promise<Figure> {
  await cloud.host.killAll();
  const startMs = Date.now();
  await create(cloud, pods, ['late'], () => ({ restartPolicy: 'Always' }));
  const find = async (): Promise<ArmRequest | undefined> =>
    (await cloud.arm.requests()).find(
      (one) => one.method === 'PUT' && one.group?.startsWith('default-late') === true && one.status < 300,
    );
  await cloud.time.waitUntil(async () => (await find()) !== undefined, { withinMs: 60_000 });
  const put = await find();
  const value = put === undefined ? undefined : (put.answeredAtMs - startMs) / 1000;
  say(`first PUT after the restart: ${value?.toFixed(1) ?? 'none'} s`);
  return {
    name: 'first PUT after a restart with 1,000 groups',
    value,
    unit: 's',
    goal: { atMost: 5 },
    note: 'every process of the app is killed and a pod bound in the same moment; start-up of new processes included',
  };
}

async function measureManyEnds(
  cloud: Cloud,
  pods: Pods,
  say: Say,
): Promise<{ readonly lags: readonly number[]; readonly reads: readonly Figure[] }> {
  const running = await cloud.time.waitUntil(
    () => phaseCount(cloud, 'many-', 'Running') + phaseCount(cloud, 'many-', 'Succeeded') >= manyJobs,
    {
      withinMs: 120_000,
      everyMs: 2000,
    },
  );
  say(`${phaseCount(cloud, 'many-', 'Running')} of ${manyJobs} run${running ? '' : ': not all of them'}`);
  const fromMs = Date.now();
  await cloud.time.pause(watchedMs);
  const toMs = Date.now();
  const requests = (await cloud.arm.requests()).filter((one) => one.atMs >= fromMs && one.atMs < toMs);
  await cloud.time.pause(lastReportedMs);
  const many = await lags(cloud, pods, 'many-');
  say(`lag at ${manyJobs}: p50 ${seconds(many, 0.5)} s, p99 ${seconds(many, 0.99)} s of ${many.length}`);
  const reads = requests.filter((one) => one.method === 'GET');
  const minutes = (toMs - fromMs) / 60_000;
  const of = (prefix: string): number =>
    reads.filter((one) => one.group?.startsWith(`default-${prefix}-`) === true).length;
  const shared = reads.filter((one) => one.group === undefined).length;
  return {
    lags: many,
    reads: [
      {
        name: 'per running pod and minute, policy Always',
        value: of('server') / (servers - deletes) / minutes,
        unit: '',
        goal: { atMost: 1 },
        note: `${shared} reads of lists and quotas are shared by all`,
      },
      { name: 'per finished pod and minute', value: of('few') / fewJobs / minutes, unit: '', goal: { exactly: 0 } },
      {
        name: 'all reads per second',
        value: reads.length / minutes / 60,
        unit: '',
        note: `${requests.filter((one) => one.status === 429).length} answers 429`,
      },
    ],
  };
}
