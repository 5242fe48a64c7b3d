import * as z from 'zod';
import type { MonitorReading } from '../../core/resource-metrics/minute-averages.ts';
import { dnsName, podUid } from './names.ts';

/** How many pods a tick asks for at most. */
export const mostMetricsQueries = 100;
const mostContainers = 60;
const mostMinutes = 60;

export const metricsQuery = z.strictObject({
  node: dnsName(253),
  namespace: dnsName(63),
  name: dnsName(253),
  uid: podUid,
  /** Minutes from then on are wanted; ms since the epoch. */
  sinceMs: z.int().min(0),
});

/** A pod whose use of resources only Azure Monitor knows, and what of it is known already. */
export type MetricsQuery = z.infer<typeof metricsQuery>;

const amount = z
  .number()
  .min(0)
  .max(2 ** 63);
const minute = z.tuple([z.number(), amount, amount]);

/** What Azure Monitor said of those pods. Short, since it may be of a hundred: a minute is its begin, millicores and bytes. */
export const metricsAnswer = z.object({
  pods: z
    .array(
      z.object({
        uid: podUid,
        containers: z
          .array(z.object({ name: z.string().max(253), minutes: z.array(minute).max(mostMinutes) }))
          .max(mostContainers),
      }),
    )
    .max(mostMetricsQueries),
  /** Nobody need ask again sooner. */
  retryInMs: z.number().min(0).exactOptional(),
});

export type MetricsAnswer = z.infer<typeof metricsAnswer>;

/** Of one pod, as it is integrated. */
export const readingOf = ({ containers }: MetricsAnswer['pods'][number]): MonitorReading =>
  new Map(
    containers.map(({ name, minutes }) => [
      name,
      minutes.map(([atMs, cpuMillicores, memoryBytes]) => ({ atMs, cpuMillicores, memoryBytes })),
    ]),
  );

/** The other way. */
export const answerOf = (uid: string, reading: MonitorReading): MetricsAnswer['pods'][number] => ({
  uid,
  containers: [...reading].map(([name, minutes]) => ({
    name,
    minutes: minutes.map(({ atMs, cpuMillicores, memoryBytes }) => [atMs, cpuMillicores, memoryBytes]),
  })),
});
