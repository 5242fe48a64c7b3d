import type { Section } from '../figure.ts';
import type { Bundles } from '../rig/bundles.ts';
import { startCloud } from '../rig/cloud.ts';
import type { Cloud } from '../rig/cloud.ts';
import { forEachAtOnce, podManifest } from '../rig/pods.ts';
import { median, percentile } from '../statistics.ts';
import type { Say } from './thousand-pods.ts';

const latencyMs = 300;

/** Pods of a Job, from their creation at once until nothing is left of them: what one costs, counted from outside. */
export async function measureJobLives(bundles: Bundles, dir: string, say: Say, count = 100): Promise<Section> {
  const cloud = await startCloud({
    bundles,
    dir,
    pods: 2_000,
    knobs: { latencyMs },
  });
  try {
    await live(cloud, 'warm', 20);
    const before = { tables: cloud.tables.requests(), processor: await cloud.processorSeconds() };
    await Promise.all([cloud.arm.forget(), cloud.cluster.forget()]);
    const { delays, isDone } = await live(cloud, 'job', count);
    const processor = await cloud.processorSeconds();
    const tables = (cloud.tables.requests() - before.tables) / count;
    const arm = (await cloud.arm.requests()).length / count;
    const kubernetes =
      (await cloud.cluster.requests()).filter(({ user }) => user.startsWith('system:node:')).length / count;
    const app = ((processor['app'] ?? 0) - (before.processor['app'] ?? 0)) / count;
    const value = (measured: number): number | undefined => (isDone ? measured : undefined);
    say(
      `${count} lives: ${tables.toFixed(1)} requests of tables, ${(app * 1000).toFixed(0)} ms of the app's processor each`,
    );
    return {
      title: "A Job pod's whole life",
      method: `${count} pods (Never, 5 s) created at once, from then on until their groups and objects are gone; ${latencyMs} ms ARM latency with its token buckets, ACI's own counters lifted. What timers and the relay's calls cost meanwhile is in it.`,
      figures: [
        { name: 'requests to Table storage', value: value(tables), unit: '', goal: { atMost: 15 } },
        { name: "the app's processor", value: value(app * 1000), unit: 'ms', goal: { atMost: 20 } },
        { name: 'requests to ARM', value: value(arm), unit: '' },
        { name: 'requests to the API server, as the node', value: value(kubernetes), unit: '' },
        { name: 'created → PUT accepted, p50', value: value(median(delays) / 1000), unit: 's', goal: { atMost: 0.8 } },
        {
          name: 'created → PUT accepted, p99',
          value: value(percentile(delays, 0.99) / 1000),
          unit: 's',
          goal: { atMost: 1.3 },
        },
      ],
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
