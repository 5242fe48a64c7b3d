import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import type { Figure, Section } from '../figure.ts';
import { watchObjects } from '../rig/api-watch.ts';
import type { Bundles } from '../rig/bundles.ts';
import { startFirstInstallation } from '../rig/first-installation.ts';
import type { FirstInstallation } from '../rig/first-installation.ts';
import { forEachAtOnce, podManifest } from '../rig/pods.ts';
import type { Say } from './thousand-pods.ts';

const node = 'aci-1';
const pods = 20;
const runs = 3;
const notReadyTaint = 'node.kubernetes.io/not-ready';

/** Seconds since the registration was written, the last that `attach` writes. */
interface Start {
  readonly nodeReady: number;
  /** The scheduler may use it. */
  readonly nodeOpen: number;
  readonly firstBound: number;
  readonly lastBound: number;
  readonly firstPut: number;
  readonly lastPut: number;
}

/** A first installation, from the end of `attach`'s writes to the groups of the first pods. */
export async function measureAttach(bundles: Bundles, dir: string, say: Say): Promise<readonly Section[]> {
  const all: Start[] = [];
  for (let run = 1; run <= runs; run += 1) {
    const start = await measureOnce(bundles, join(dir, String(run)));
    say(`run ${run} of ${runs}: ${describe(start)}`);
    all.push(start);
  }
  const [best] = all.toSorted((one, other) => one.lastPut - other.lastPut);
  const figure = (name: string, of: (start: Start) => number, goal?: number): Figure => ({
    name,
    value: best === undefined ? undefined : of(best),
    unit: 's',
    ...(goal === undefined ? {} : { goal: { atMost: goal } }),
    note: `all runs: ${all.map((start) => of(start).toFixed(2)).join(', ')}`,
  });
  return [
    {
      title: 'A first installation',
      method: `\`attach\` as a process, against a real control plane, an empty table and no blob; 300 ms ARM latency, ARM's token buckets and ACI's own counters at their defaults. The app runs, the relay is there and refused so far, the token of \`--auth token\` is in the settings already (with \`--auth entra\` none is needed), so that no restart is measured. ${pods} pods are created as soon as the scheduler may use the Node, and find their way by the scheduler (those that wait from before come when its own back-off is over, seconds later). From the answer to the write of the registration, by the access log of Blob storage; the Node by a watch, the PUTs by ARM's journal. The best of ${runs} runs by the last PUT. All parts share this machine.`,
      figures: [
        figure('registration written → Node Ready', ({ nodeReady }) => nodeReady),
        figure('registration written → first PUT accepted', ({ firstPut }) => firstPut, 2),
        figure(`registration written → ${pods} PUTs accepted`, ({ lastPut }) => lastPut, 4),
      ],
    },
  ];
}

const describe = (start: Start): string =>
  Object.entries(start)
    .map(([name, value]) => `${name} ${value.toFixed(2)}`)
    .join(', ');

const nodeNews = z.object({
  object: z.object({
    spec: z.object({ taints: z.array(z.object({ key: z.string() })).default([]) }),
    status: z.object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]) }),
  }),
});
const podNews = z.object({
  object: z.object({ metadata: z.object({ name: z.string() }), spec: z.object({ nodeName: z.string().optional() }) }),
});

/** When what was first seen, ms since the epoch. */
type Seen = Map<string, number>;

async function measureOnce(bundles: Bundles, dir: string): Promise<Start> {
  const cloud = await startFirstInstallation(bundles, dir);
  const seen: Seen = new Map();
  const note = (what: string, atMs: number): void => void (seen.has(what) || seen.set(what, atMs));
  const stops = [
    watch(cloud, 'nodes', (event, atMs) => {
      const { spec, status } = nodeNews.parse(event).object;
      if (!status.conditions.some((one) => one.type === 'Ready' && one.status === 'True')) return;
      note('ready', atMs);
      if (!spec.taints.some(({ key }) => key === notReadyTaint)) note('open', atMs);
    }),
    watch(cloud, 'pods', (event, atMs) => {
      const { metadata, spec } = podNews.parse(event).object;
      if (spec.nodeName === node) note(`bound ${metadata.name}`, atMs);
    }),
  ];
  try {
    await prepare(cloud);
    const attached = cloud.attach(node);
    // A failure is reported below.
    attached.catch(() => undefined);
    await until(() => seen.has('open'), 120_000);
    const names = Array.from({ length: pods }, (_, index) => `first-${index}`);
    await forEachAtOnce(names, 16, (name) => createPod(cloud, name));
    await until(async () => (await acceptedPuts(cloud)).length >= pods, 120_000);
    await attached;
    return readStart(cloud, seen, await acceptedPuts(cloud));
  } finally {
    for (const stop of stops) stop();
    await cloud.stop();
  }
}

/** An `attach` that was cut off before it wrote anything but the chart and the token; the app has restarted for it. */
async function prepare(cloud: FirstInstallation): Promise<void> {
  const cut = new AbortController();
  const cutOff = cloud.attach(node, cut.signal).catch(() => undefined);
  await until(() => cloud.hasToken(), 120_000);
  cut.abort();
  await cutOff;
  await cloud.startRelay();
  await sleep(10_000);
}

const watch = (cloud: FirstInstallation, kind: string, hear: (event: unknown, atMs: number) => void): (() => void) =>
  watchObjects(cloud.cluster, { path: `/api/v1/${kind}`, certificate: cloud.administrator }, hear);

const acceptedPuts = async (cloud: FirstInstallation): Promise<readonly number[]> =>
  (await cloud.arm.requests())
    .filter(({ method, status, group }) => method === 'PUT' && status < 300 && group !== undefined)
    .map(({ answeredAtMs }) => answeredAtMs);

function readStart(cloud: FirstInstallation, seen: Seen, puts: readonly number[]): Start {
  const writes = cloud.blobs.requests().filter(({ method, status }) => method === 'PUT' && status < 300);
  const [written] = writes;
  if (written === undefined || writes.length > 1) throw new Error(`${writes.length} writes of the registration`);
  const since = (atMs: number | undefined): number => ((atMs ?? Number.NaN) - written.answeredAtMs) / 1000;
  const bound = [...seen].flatMap(([what, atMs]) => (what.startsWith('bound ') ? [atMs] : []));
  return {
    nodeReady: since(seen.get('ready')),
    nodeOpen: since(seen.get('open')),
    firstBound: since(Math.min(...bound)),
    lastBound: since(Math.max(...bound)),
    firstPut: since(Math.min(...puts)),
    lastPut: since(Math.max(...puts)),
  };
}

async function until(isSo: () => boolean | Promise<boolean>, withinMs: number): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!(await isSo())) {
    if (performance.now() > endMs) throw new Error('nothing came of it in time');
    await sleep(20);
  }
}

/** Not bound: the scheduler finds the node by its label. */
async function createPod(cloud: FirstInstallation, name: string): Promise<void> {
  const bound = podManifest(name, { restartPolicy: 'Always' });
  const { nodeName, ...spec } = z.looseObject({ nodeName: z.string() }).parse(bound['spec']);
  const body = { ...bound, spec: { ...spec, nodeSelector: { 'kubernetes.io/hostname': nodeName } } };
  const { status } = await cloud.api.send({ method: 'POST', path: '/api/v1/namespaces/default/pods', body });
  if (status !== 201) throw new Error(`the pod ${name} was not created: HTTP ${status}`);
}
