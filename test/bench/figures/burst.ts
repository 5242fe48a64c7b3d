import type { Section } from '../figure.ts';
import type { Bundles } from '../rig/bundles.ts';
import { startCloud } from '../rig/cloud.ts';
import type { Cloud } from '../rig/cloud.ts';
import { forEachAtOnce, pause, podManifest, waitUntil } from '../rig/pods.ts';
import { median, percentile } from '../statistics.ts';
import type { Say } from './thousand-pods.ts';

const pods = 150;
const latencyMs = 300;

export interface BurstOptions {
  /** Time of the outside world runs so many times slower, so that the processor's share of it shrinks; the result is divided by it. */
  readonly stretch: number;
}

/** 150 pods bound at once: how soon has ARM accepted their groups. */
export async function measureBurst(bundles: Bundles, dir: string, say: Say): Promise<Section> {
  const cloud = await startCloud({ bundles, dir, knobs: { latencyMs } });
  try {
    await warmUp(cloud);
    const before = await cloud.processorSeconds();
    const delays = await burst(cloud, 'burst');
    const after = await cloud.processorSeconds();
    const used = Object.entries(after).map(([part, value]) => `${part} ${(value - (before[part] ?? 0)).toFixed(1)}`);
    say(
      `p50 ${median(delays).toFixed(0)} ms, p99 ${percentile(delays, 0.99).toFixed(0)} ms; processor seconds: ${used.join(', ')}`,
    );
    return {
      title: '150 pods at once',
      method: `${pods} pods bound at once, ${latencyMs} ms ARM latency, ARM's real buckets, warm processes; from the answer to the bind (the pod is in the API server) to the answer of the PUT, by the two journals.`,
      figures: [
        { name: 'bind → PUT accepted, p50', value: median(delays) / 1000, unit: 's' },
        {
          name: 'bind → PUT accepted, p99',
          value: percentile(delays, 0.99) / 1000,
          unit: 's',
          goal: { atMost: 2.5 },
          note: `${delays.length} pods; processor seconds used meanwhile on this machine: ${used.join(', ')}`,
        },
      ],
    };
  } finally {
    await cloud.stop();
  }
}

/** SDKs are loaded, connections stand, code is compiled: a process that has worked before. */
async function warmUp(cloud: Cloud): Promise<void> {
  await waitUntil(async () => (await cloud.host.invocations())['pod-events'] !== undefined, { withinMs: 30_000 });
  await burst(cloud, 'warm', 24);
  // What was spent is to be there again.
  await pause(15_000);
}

async function burst(cloud: Cloud, prefix: string, count = pods): Promise<readonly number[]> {
  const bound = new Map<string, number>();
  const wanted = Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
  await forEachAtOnce(wanted, 16, async (name) => {
    await cloud.cluster.createPod(podManifest(name, { restartPolicy: 'Always' }));
    bound.set(name, Date.now());
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
  await waitUntil(async () => (await accepted()).size >= count, { withinMs: 60_000, everyMs: 500 });
  const puts = await accepted();
  return wanted.map((name) => (puts.get(name) ?? Date.now()) - (bound.get(name) ?? 0));
}
