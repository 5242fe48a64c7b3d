import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Section } from '../figure.ts';
import type { Rig } from '../rig/bundles.ts';
import { startCloud } from '../rig/cloud.ts';
import type { Cloud } from '../rig/cloud.ts';
import { forEachAtOnce, podManifest } from '../rig/pods.ts';
import type { PodKind } from '../rig/pods.ts';
import { instanceGb, monthOf } from '../price.ts';
import { sampleExecutions, spreadOf } from '../rig/executions.ts';
import type { Say } from './thousand-pods.ts';

const idleMs = 60_000;
const podsOfAKind = 5;

const kinds: Readonly<Record<string, PodKind>> = {
  'job-that-ends': { restartPolicy: 'Never', runMs: 5000 },
  'job-on-failure': { restartPolicy: 'OnFailure', runMs: 5000 },
  server: { restartPolicy: 'Always' },
};

/** A cloud that idles first, then sees whole lives of pods. */
export async function measureLife(bundles: Rig, dir: string, say: Say): Promise<readonly Section[]> {
  const loaded = join(dir, 'loaded');
  mkdirSync(loaded, { recursive: true });
  const recorder = pathToFileURL(join(import.meta.dirname, '..', 'rig', 'load-recorder.mjs')).href;
  const cloud = await startCloud({
    bundles,
    dir,
    knobs: { latencyMs: 100 },
    env: { BENCH_LOADED: loaded, NODE_OPTIONS: `--import=${recorder}` },
  });
  try {
    const idle = await measureIdle(cloud, say);
    const lives = await measureLives(cloud, say);
    const start = {
      title: 'Loaded by the first reconcile',
      method: 'Noted by a hook of the module loader in the processes of the app.',
      figures: [loadedFigure(loaded, bundles)],
    };
    return [start, lives, idle];
  } finally {
    await cloud.stop();
  }
}

function loadedFigure(folder: string, bundles: Rig): Section['figures'][number] {
  const app = pathToFileURL(join(bundles.app, '..')).href;
  const totals = readdirSync(folder).map((file) =>
    readFileSync(join(folder, file), 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(' '))
      .filter(([, , url = '']) => url.startsWith(app))
      .reduce((total, [, size]) => total + Number(size), 0),
  );
  return {
    name: 'code loaded by a process that has reconciled pods',
    value: Math.max(...totals) / 1e6,
    unit: 'MB',
    note: 'with the SDKs of Table storage, identity and ACI; the process that has loaded most',
  };
}

async function measureIdle(cloud: Cloud, say: Say): Promise<Section> {
  await cloud.time.pause(10_000);
  say(`idle for ${idleMs / 1000} s`);
  const { durationsMs, seconds, seen } = await sampleExecutions(cloud, idleMs);
  const month = monthOf(durationsMs, seconds, instanceGb);
  return {
    title: 'An idle month',
    method: `A node without pods, relay and timers running, for ${Math.round(seconds)} s; instances of 512 MB, rates of East US, 30.4 days. An execution is billed for 1 s at least.`,
    figures: [
      {
        name: 'executions',
        value: Math.round(month.executions),
        unit: '',
        note: `seen: ${seen}; ${spreadOf(durationsMs)}`,
      },
      { name: 'GB-seconds', value: Math.round(month.gbSeconds), unit: '' },
      { name: 'beyond the free grant', value: month.usdBeyondGrant, unit: 'USD', goal: { atMost: 1 } },
      { name: 'without the free grant', value: month.usdWithoutGrant, unit: 'USD' },
    ],
  };
}

async function measureLives(cloud: Cloud, say: Say): Promise<Section> {
  const uids = new Map<string, string>();
  const names = Object.keys(kinds).flatMap((kind) =>
    Array.from({ length: podsOfAKind }, (_, index) => `${kind}-${index}`),
  );
  const kindOf = (name: string): PodKind => kinds[name.replace(/-\d+$/, '')] ?? { restartPolicy: 'Never' };
  await cloud.cluster.forget();
  await forEachAtOnce(names, 4, async (name) => {
    uids.set(name, await cloud.cluster.createPod(podManifest(name, kindOf(name))));
  });
  const phase = (name: string): string => cloud.cluster.news().findLast((one) => one.name === name)?.phase ?? '';
  const isUp = (name: string): boolean =>
    phase(name) === (kindOf(name).restartPolicy === 'Always' ? 'Running' : 'Succeeded');
  const up = await cloud.time.waitUntil(() => names.every(isUp), { withinMs: 90_000 });
  await Promise.all(names.map((name) => cloud.cluster.deletePod(name)));
  const isGone = (name: string): boolean =>
    cloud.cluster.news().some((one) => one.name === name && one.type === 'DELETED');
  const gone = await cloud.time.waitUntil(() => names.every(isGone), { withinMs: 60_000 });
  const requests = await cloud.cluster.requests();
  const writes = (name: string): number =>
    requests.filter(
      ({ method, path, user }) =>
        method !== 'GET' &&
        user.startsWith('system:node:') &&
        [`/pods/${name}`, `/pods/${name}/status`].some((end) => path.split('?')[0]?.endsWith(end) === true),
    ).length;
  const events = requests.filter(({ method, path }) => method !== 'GET' && /\/events(\/|\?|$)/.test(path)).length;
  const most = Math.max(...names.map(writes));
  say(`${names.length} lives: at most ${most} writes of status and delete, ${events} events in all`);
  return {
    title: "A pod's life",
    method: `${names.length} pods (${Object.keys(kinds).join(', ')}) from their creation to their deletion; the kubelet's writes in the API server's journal.`,
    figures: [
      {
        name: 'writes of status and delete, at most',
        value: up && gone ? most : undefined,
        unit: '',
        goal: { atMost: 4 },
        note: names
          .map((name) => `${name} ${writes(name)}`)
          .filter((_, index) => index % podsOfAKind === 0)
          .join(', '),
      },
      { name: 'events, mean', value: events / names.length, unit: '', goal: { atMost: 6 } },
    ],
  };
}
