import * as z from 'zod';
import type { PodReading } from '../core/resource-metrics/pod-usage.ts';
import { parseJson } from './json-text.ts';

/** An unsigned count of 64 bits, as JSON can carry it; whole, since who reads it in Go takes nothing else. */
const count = z
  .number()
  .min(0)
  .max(2 ** 63)
  .transform((value) => Math.round(value));

const name = z.string().max(253);
/** A group has 60 containers at most, and the platform's own. */
const most = 100;

const memory = z.object({ usageBytes: count.exactOptional(), workingSetBytes: count, rssBytes: count.exactOptional() });

const interfaceFields = {
  name: name.default(''),
  rxBytes: count.default(0),
  rxErrors: count.default(0),
  txBytes: count.default(0),
  txErrors: count.default(0),
};

const schema = z.object({
  /** In ns since the epoch. */
  timestamp: count,
  containers: z
    .array(z.object({ name, cpu: z.object({ usageCoreNanoSeconds: count }), memory }))
    .max(most)
    .refine((all) => new Set(all.map((one) => one.name)).size === all.length, 'each container once'),
  network: z
    .object({ ...interfaceFields, interfaces: z.array(z.object(interfaceFields)).max(most).default([]) })
    .nullish()
    .catch(undefined),
});

/**
 * What ACI's realtime-metrics answers at `/v1/stats`, or undefined when it is nothing like that. Whoever listens in the
 * pod may have written it: numbers are finite, not negative and whole, lists are short, all else is dropped.
 */
export function parseRealtimeStats(text: string): PodReading | undefined {
  const parsed = schema.safeParse(parseJson(text)).data;
  if (parsed === undefined) return undefined;
  const { timestamp, containers, network } = parsed;
  return {
    atMs: Math.floor(timestamp / 1_000_000),
    containers: containers.map(({ name: container, cpu, memory: use }) => ({
      name: container,
      cpuNanoSeconds: cpu.usageCoreNanoSeconds,
      memory: use,
    })),
    ...(network ? { network } : {}),
  };
}
