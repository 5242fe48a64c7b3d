import { join } from 'node:path';
import { defaultOptions } from '../../../infra/local/aci/options.ts';
import type { Figure, Section } from '../figure.ts';
import type { Rig } from '../rig/bundles.ts';
import { startCloud } from '../rig/cloud.ts';
import type { Cloud } from '../rig/cloud.ts';
import { forEachAtOnce, podManifest } from '../rig/pods.ts';
import { percentile } from '../statistics.ts';
import type { Say } from './thousand-pods.ts';

const latencyMs = 300;
const pods = 100;
const runs = 3;

/** What one run of the lives has cost, for each pod. */
interface Lives {
  readonly tables: number;
  /** ms of all processes of the app. */
  readonly processor: number;
  readonly arm: number;
  /** As the node; undefined where the cluster has no journal. */
  readonly kubernetes: number | undefined;
  readonly delays: readonly number[];
}

/** Pods of a Job, from their creation at once until nothing is left of them: what one costs, counted from outside. */
export async function measureJobLives(bundles: Rig, dir: string, say: Say): Promise<readonly Section[]> {
  const lifted = await startCloud({ bundles, dir: join(dir, 'lifted'), pods: 2_000, knobs: { latencyMs } });
  const all: Lives[] = [];
  try {
    await live(lifted, 'warm', 24);
    for (let run = 1; run <= runs; run += 1) {
      // What was spent is to be there again.
      await lifted.time.pause(20_000);
      const lives = await measureOnce(lifted, `job-${run}`);
      if (lives === undefined) break;
      say(
        `run ${run} of ${runs}: ${lives.tables.toFixed(1)} requests of tables, ${lives.processor.toFixed(0)} ms of the app, p50 ${(percentile(lives.delays, 0.5) / 1000).toFixed(2)}, p99 ${last(lives.delays).toFixed(1)} s`,
      );
      all.push(lives);
    }
  } finally {
    await lifted.stop();
  }
  const best = all.length < runs ? undefined : all.toSorted((left, right) => last(left.delays) - last(right.delays))[0];
  return [livesSection(bundles, best), await atDefaultCounters(bundles, join(dir, 'counted'))];
}

const last = (delays: readonly number[]): number => percentile(delays, 0.99) / 1000;

async function measureOnce(cloud: Cloud, prefix: string): Promise<Lives | undefined> {
  const before = { tables: cloud.tables.requests(), processor: await cloud.processorSeconds() };
  await Promise.all([cloud.arm.forget(), cloud.cluster.forget()]);
  const { delays, isDone } = await live(cloud, prefix, pods);
  if (!isDone) return undefined;
  const processor = await cloud.processorSeconds();
  const asNode = (await cloud.cluster.requests()).filter(({ user }) => user.startsWith('system:node:')).length;
  return {
    tables: (cloud.tables.requests() - before.tables) / pods,
    processor: (((processor['app'] ?? 0) - (before.processor['app'] ?? 0)) * 1000) / pods,
    arm: (await cloud.arm.requests()).length / pods,
    kubernetes: asNode === 0 ? undefined : asNode / pods,
    delays,
  };
}

const clusterOf = ({ cluster }: Rig): string => (cluster === 'real' ? 'a real control plane' : 'the embedded cluster');

const livesSection = (bundles: Rig, best: Lives | undefined): Section => ({
  title: `A Job pod's whole life, on ${clusterOf(bundles)}`,
  method: `${pods} pods (Never, 5 s) created at once, from then on until their groups and objects are gone; ${latencyMs} ms ARM latency with its token buckets, ACI's own counters lifted. What timers and the relay's calls cost meanwhile is in it, and the app and all stand-ins share this machine. The best of ${runs} runs by the last PUTs.`,
  figures: [
    { name: 'requests to Table storage', value: best?.tables, unit: '', goal: { atMost: 15 } },
    { name: "the app's processor", value: best?.processor, unit: 'ms', goal: { atMost: 20 } },
    { name: 'requests to ARM', value: best?.arm, unit: '' },
    ...kubernetesFigures(bundles, best),
    ...putFigures(best?.delays, [0.8, 1.3]),
  ],
});

/** A real cluster keeps no journal here. */
const kubernetesFigures = ({ cluster }: Rig, best: Lives | undefined): readonly Figure[] =>
  cluster === 'real' ? [] : [{ name: 'requests to the API server, as the node', value: best?.kubernetes, unit: '' }];

const putFigures = (
  delays: readonly number[] | undefined,
  goals: readonly [number, number] | undefined,
): readonly Figure[] =>
  ([0.5, 0.99] as const).map((share, index): Figure => ({
    name: `created → PUT accepted, p${share * 100}`,
    value: delays === undefined ? undefined : percentile(delays, share) / 1000,
    unit: 's',
    ...(goals === undefined ? {} : { goal: { atMost: goals[index] ?? 0 } }),
  }));

/** The first hundred of an hour: as many as ACI takes in five minutes. */
async function atDefaultCounters(bundles: Rig, dir: string): Promise<Section> {
  const { resourceRequests } = defaultOptions;
  const cloud = await startCloud({ bundles, dir, pods: 2_000, knobs: { latencyMs, resourceRequests } });
  try {
    await cloud.time.waitUntil(async () => (await cloud.host.invocations())['pod-events'] !== undefined, {
      withinMs: 30_000,
    });
    const { delays, isDone } = await live(cloud, 'counted', pods);
    return {
      title: `100 pods at ACI's default counters, on ${clusterOf(bundles)}`,
      method: `The same pods where ACI takes ${resourceRequests.per5Minutes} creates in five minutes and ${resourceRequests.perHour} in an hour, of which nothing was spent; processes that have seen no pod yet.`,
      figures: putFigures(isDone ? delays : undefined, undefined),
    };
  } finally {
    await cloud.stop();
  }
}

async function live(
  cloud: Cloud,
  prefix: string,
  count: number,
): Promise<{ readonly delays: readonly number[]; readonly isDone: boolean }> {
  const created = new Map<string, number>();
  const names = Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
  await forEachAtOnce(names, 16, async (name) => {
    await cloud.cluster.createPod(podManifest(name, { restartPolicy: 'Never', runMs: 5_000 }));
    created.set(name, cloud.time.now());
  });
  const seen = (what: (one: { readonly phase: string; readonly type: string }) => boolean): boolean => {
    const found = new Set(cloud.cluster.news().flatMap((one) => (what(one) ? [one.name] : [])));
    return names.every((name) => found.has(name));
  };
  const ended = await cloud.time.waitUntil(() => seen(({ phase }) => phase === 'Succeeded'), { withinMs: 120_000 });
  const puts = new Map(
    (await cloud.arm.requests()).flatMap(({ method, status, group, answeredAtMs }) => {
      const name = /^default-(.+-\d+)-[0-9a-f]+$/.exec(group ?? '')?.[1];
      return method === 'PUT' && status < 300 && name !== undefined ? [[name, answeredAtMs] as const] : [];
    }),
  );
  await forEachAtOnce(names, 16, (name) => cloud.cluster.deletePod(name));
  const gone = await cloud.time.waitUntil(() => seen(({ type }) => type === 'DELETED'), { withinMs: 120_000 });
  await cloud.time.pause(5_000);
  const delays = names.map((name) => (puts.get(name) ?? cloud.time.now()) - (created.get(name) ?? 0));
  return { delays, isDone: ended && gone };
}
