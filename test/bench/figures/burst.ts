import { join } from 'node:path';
import type { Figure, Section } from '../figure.ts';
import type { Rig } from '../rig/bundles.ts';
import { startCloud } from '../rig/cloud.ts';
import type { Cloud } from '../rig/cloud.ts';
import { forEachAtOnce, podManifest } from '../rig/pods.ts';
import { median, percentile } from '../statistics.ts';
import type { Say } from './thousand-pods.ts';
import { defined } from '../../../shared/core/defined.ts';

const pods = 150;
const latencyMs = 300;
const goalSeconds = 2.5;
const slowness = 10;

/** 150 pods bound at once: how soon has ARM accepted their groups. */
export async function measureBurst(bundles: Rig, dir: string, say: Say): Promise<Section> {
  const real = await measure({ bundles, dir: join(dir, 'real'), slowness: 1 });
  say(`in real time: p50 ${median(real.delays).toFixed(0)} ms, p99 ${percentile(real.delays, 0.99).toFixed(0)} ms`);
  const slow = await measure({ bundles, dir: join(dir, 'slow'), slowness });
  say(`in slow motion: p50 ${median(slow.delays).toFixed(0)} ms, p99 ${percentile(slow.delays, 0.99).toFixed(0)} ms`);
  const processor = Object.values(real.processor).reduce((total, value) => total + value, 0);
  const parts = Object.entries(real.processor).map(([part, value]) => `${part} ${value.toFixed(1)}`);
  return {
    title: '150 pods at once',
    method: `${pods} pods bound at once, ${latencyMs} ms ARM latency, ARM's real buckets, processes that have worked before; from the answer to the bind to the answer of the PUT, by the two journals. App, tables, ARM and API server share this machine, which Azure's do not: the work of all takes ${processor.toFixed(1)} processor seconds here. So the goal is held to a run in slow motion, in which every clock of every process runs ${slowness} times slower and the processor counts for a tenth; the run in real time is beside it.`,
    figures: [
      ...figuresOf('in slow motion', slow.delays, { atMost: goalSeconds }),
      ...figuresOf('in real time', real.delays, undefined, `processor seconds used: ${parts.join(', ')}`),
    ],
  };
}

function figuresOf(how: string, delays: readonly number[], goal: Figure['goal'], note?: string): readonly Figure[] {
  return [
    { name: `bind → PUT accepted, ${how}, p50`, value: median(delays) / 1000, unit: 's' },
    {
      name: `bind → PUT accepted, ${how}, p99`,
      value: percentile(delays, 0.99) / 1000,
      unit: 's',
      ...defined({ goal, note }),
    },
  ];
}

interface Measured {
  readonly delays: readonly number[];
  /** Seconds by part. */
  readonly processor: Readonly<Record<string, number>>;
}

async function measure(options: {
  readonly bundles: Rig;
  readonly dir: string;
  readonly slowness: number;
}): Promise<Measured> {
  const cloud = await startCloud({ ...options, knobs: { latencyMs } });
  try {
    await warmUp(cloud);
    const before = await cloud.processorSeconds();
    const delays = await burst(cloud, 'burst', pods);
    const after = await cloud.processorSeconds();
    const used = Object.entries(after).map(([part, value]) => [part, value - (before[part] ?? 0)] as const);
    return { delays, processor: Object.fromEntries(used) };
  } finally {
    await cloud.stop();
  }
}

/** SDKs are loaded, connections are open, code is compiled: processes that have worked before. */
async function warmUp(cloud: Cloud): Promise<void> {
  await cloud.time.waitUntil(async () => (await cloud.host.invocations())['pod-events'] !== undefined, {
    withinMs: 30_000,
  });
  await burst(cloud, 'warm', 24);
  // What was spent is to be there again.
  await cloud.time.pause(3000);
}

async function burst(cloud: Cloud, prefix: string, count: number): Promise<readonly number[]> {
  const bound = new Map<string, number>();
  const wanted = Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
  await forEachAtOnce(wanted, 16, async (name) => {
    await cloud.cluster.createPod(podManifest(name, { restartPolicy: 'Always' }));
    bound.set(name, cloud.time.now());
  });
  const accepted = async (): Promise<ReadonlyMap<string, number>> =>
    new Map(
      (await cloud.arm.requests()).flatMap((one) => {
        const name = new RegExp(`^default-(${prefix}-\\d+)-`).exec(one.group ?? '')?.[1];
        return one.method === 'PUT' && one.status < 300 && name !== undefined
          ? [[name, one.answeredAtMs] as const]
          : [];
      }),
    );
  await cloud.time.waitUntil(async () => (await accepted()).size >= count, { withinMs: 60_000, everyMs: 500 });
  const puts = await accepted();
  return wanted.map((name) => (puts.get(name) ?? cloud.time.now()) - (bound.get(name) ?? 0));
}
