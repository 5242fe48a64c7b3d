import { setTimeout as sleep } from 'node:timers/promises';
import type { Administrator, Sighting } from './administrator.ts';

/** One pod's life as the API server showed it, ms since the watch began. */
export interface Timeline {
  readonly name: string;
  readonly created: number;
  bound?: number;
  /** ARM took the PUT: the status says ContainerCreating or more. */
  accepted?: number;
  running?: number;
  finished?: number;
  phase: string;
}

export interface TimelineWatch {
  readonly pods: ReadonlyMap<string, Timeline>;
  stop(): void;
}

/** Watches the pods of `default` from now on; a pod is kept by its UID. */
export function watchTimelines(administrator: Pick<Administrator, 'watchPods'>): TimelineWatch {
  const pods = new Map<string, Timeline>();
  const startedAt = performance.now();
  const stop = administrator.watchPods((pod) => observe(pods, { ...pod, at: performance.now() - startedAt }));
  return { pods, stop };
}

const lagMs = 3_000;
const stepMs = 100;

/** A watch may be a moment behind what the cluster answers: waits until it has shown every pod's phase, for a few seconds at most. */
export async function untilShown(
  pods: TimelineWatch['pods'],
  administrator: Pick<Administrator, 'ask'>,
  giveUpAt = performance.now() + lagMs,
): Promise<void> {
  const all = [...pods.values()];
  const ends = await Promise.all(all.map(({ name }) => administrator.ask({ kind: 'pod', name })));
  const isShown = all.every(({ phase }, index) => ends[index]?.startsWith(`${phase}/`) === true);
  if (isShown || performance.now() > giveUpAt) return;
  await sleep(stepMs);
  return untilShown(pods, administrator, giveUpAt);
}

/** Each stage keeps the moment at which it was first seen. */
export function observe(pods: Map<string, Timeline>, seen: Sighting): void {
  const pod: Timeline = pods.get(seen.uid) ?? { name: seen.name, created: seen.at, phase: seen.phase };
  const isOver = seen.phase === 'Succeeded' || seen.phase === 'Failed';
  pod.phase = seen.phase;
  if (seen.isBound) pod.bound ??= seen.at;
  if (seen.isAccepted) pod.accepted ??= seen.at;
  if (seen.phase === 'Running' || isOver) pod.running ??= seen.at;
  if (isOver) pod.finished ??= seen.at;
  pods.set(seen.uid, pod);
}

/** `pi-x2x9k  created 0.1 s  bound +0.0  PUT accepted +0.6  running +2.4  finished +5.1  Succeeded`: seconds after the creation. */
export function describeTimeline(pod: Timeline): string {
  const after = (label: string, at: number | undefined): string[] =>
    at === undefined ? [] : [`${label} +${((at - pod.created) / 1000).toFixed(1)}`];
  const stages = [
    ...after('bound', pod.bound),
    ...after('PUT accepted', pod.accepted),
    ...after('running', pod.running),
    ...after('finished', pod.finished),
  ];
  return [pod.name.padEnd(24), `created ${(pod.created / 1000).toFixed(1)} s`, ...stages, pod.phase].join('  ');
}
