import { median } from '../statistics.ts';
import type { Cloud } from './cloud.ts';
import type { Counters } from './host.ts';

export interface Executions {
  /** Of each execution that ended meanwhile. */
  readonly durationsMs: readonly number[];
  readonly seconds: number;
  /** How many of each function. */
  readonly counts: Readonly<Record<string, number>>;
  /** The same in words. */
  readonly seen: string;
}

const timerMs = 15_000;

/** What the host executes in so long; begun between two of the times at which timers fire, so that as many are in it as it is long. */
export async function sampleExecutions(cloud: Cloud, lengthMs: number): Promise<Executions> {
  // The timers fire at whole quarters of a minute.
  await cloud.time.pause(timerMs - (Date.now() % timerMs) + 7000);
  const first = await cloud.host.invocations();
  const durationsMs: number[] = [];
  const startMs = performance.now();
  let known = first;
  while (performance.now() - startMs < lengthMs) {
    await cloud.time.pause(500);
    const now = await cloud.host.invocations();
    durationsMs.push(...between(known, now));
    known = now;
  }
  const counts = Object.fromEntries(
    Object.entries(known).map(([name, now]) => [name, now.count - (first[name]?.count ?? 0)]),
  );
  return {
    durationsMs,
    seconds: (performance.now() - startMs) / 1000,
    counts,
    seen: Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(', '),
  };
}

export const spreadOf = (durationsMs: readonly number[]): string =>
  `median ${median(durationsMs).toFixed(0)} ms, longest ${Math.max(...durationsMs).toFixed(0)} ms`;

/** The times of the executions that ended in between; of several of one function, each has their mean. */
const between = (before: Counters, after: Counters): readonly number[] =>
  Object.entries(after).flatMap(([name, now]) => {
    const then = before[name] ?? { count: 0, totalDurationMs: 0 };
    const count = now.count - then.count;
    return Array.from({ length: count }, () => (now.totalDurationMs - then.totalDurationMs) / count);
  });
