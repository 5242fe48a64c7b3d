import * as z from 'zod';
import type { AgentMemory } from '../core/agent/reports/memory.ts';
import type { AgentState } from '../core/agent/reports/report.ts';
import type { KnownFiles } from '../core/agent/files/file-memory.ts';
import type { CapacityState } from '../core/budget/capacity.ts';
import type { BucketState } from '../core/budget/token-bucket.ts';
import type { ImageConfig } from '../core/image/image-config.ts';
import type { ImageTag } from '../core/image/image-tag.ts';
import type { NodeRow } from '../core/reconcile/node-row.ts';
import type { PodRow } from '../core/reconcile/pod-row.ts';
import type { PodUsage } from '../core/usage/pod-usage.ts';
import type { UsageRecord } from '../core/usage/usage.ts';
import { digest } from './registry/digest.ts';

/**
 * Rows as JSON. A row is input like any other: it may be of another version of this app, or not ours at all.
 */
const schemaVersion = 1;

/** `newer`: written by a later version of the app, which alone may change it. `garbage`: treat as absent. */
type ParsedRow<T> =
  | { readonly kind: 'row'; readonly value: T }
  | { readonly kind: 'newer' }
  | { readonly kind: 'garbage' };

/** A row has every field; JSON leaves out those that are undefined. */
const maybe = <T extends z.ZodType>(schema: T) =>
  schema
    .nullable()
    .default(null)
    .transform((value) => value ?? undefined);

const time = z.number().min(0).max(9_999_999_999_999);

const agentKey = z.object({ kid: z.string(), nonce: z.string() });

const intent = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('none') }),
  z.object({
    kind: z.literal('open'),
    at: time,
    replaces: z.literal(true).exactOptional(),
    agentKey: agentKey.exactOptional(),
  }),
  z.object({
    kind: z.literal('accepted'),
    at: time,
    operationUrl: z.string().exactOptional(),
    replacing: z.literal(true).exactOptional(),
  }),
  z.object({ kind: z.literal('refused'), at: time }),
  z.object({ kind: z.literal('deleted'), at: time }),
]);

const programEnd = z.object({
  exitCode: z.int(),
  signal: z.int().exactOptional(),
  reason: z.string(),
  message: z.string().exactOptional(),
  startedAt: time.exactOptional(),
  finishedAt: time,
});

const agentState: z.ZodType<AgentState> = z.object({
  phase: z.enum(['waiting', 'running', 'ended', 'parked']),
  waiting: z.object({ reason: z.string(), message: z.string().exactOptional() }).exactOptional(),
  startedAt: time.exactOptional(),
  started: z.boolean(),
  ready: z.boolean(),
  restarts: z.int().min(0),
  ended: programEnd.exactOptional(),
  lastEnded: programEnd.exactOptional(),
  final: z.boolean(),
  drainBy: time.exactOptional(),
  volumes: z.record(z.string(), z.string()).exactOptional(),
});

const agentMemory: z.ZodType<AgentMemory> = z.object({
  key: agentKey,
  expected: z.array(z.string()).default([]),
  containers: z.record(
    z.string(),
    z.object({
      bootId: z.string(),
      number: z.int(),
      boots: z.int().min(1),
      sentAt: time,
      state: agentState,
    }),
  ),
  drain: z
    .object({
      at: time,
      since: time,
      by: time,
      words: z.record(z.string(), z.enum(['heard', 'signalled', 'nobody', 'unsure'])),
    })
    .exactOptional(),
  silent: z.record(z.string(), z.string()).exactOptional(),
});

const keptLog = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('unknown') }),
  z.object({ kind: z.literal('trying'), since: time, fault: z.string().exactOptional() }),
  z.object({ kind: z.literal('kept') }),
  z.object({ kind: z.literal('given-up') }),
]);

const owner = z.object({ kind: z.string(), name: z.string() });
const share = z.number().min(0).max(100_000);

const podUsage: z.ZodType<PodUsage> = z.object({
  cpu: share,
  memoryInGB: share,
  owner: owner.exactOptional(),
  startedAt: time.exactOptional(),
  endedAt: time.exactOptional(),
  earlier: z.array(z.tuple([time, time])),
});

const volumeMemory = z.object({
  container: z.string(),
  made: z.string().exactOptional(),
  version: z.string(),
  renewAt: time.exactOptional(),
  isShared: z.literal(true).exactOptional(),
});

const knownFiles: z.ZodType<KnownFiles> = z.union([
  z.literal('none'),
  z.object({
    key: z.object({ kid: z.string(), nonce: z.string() }),
    volumes: z.record(z.string(), volumeMemory),
  }),
]);

const podRow: z.ZodType<PodRow> = z.object({
  namespace: z.string().min(1),
  name: z.string().min(1),
  uid: z.string().min(1),
  group: z.string().min(1),
  intent,
  dueAt: maybe(time),
  attempt: z.int().min(0),
  lock: maybe(z.object({ owner: z.string(), until: time })),
  dirty: z.boolean(),
  dirtyVersions: z.array(z.string()).default([]),
  version: maybe(z.string()),
  seen: maybe(z.string()),
  ending: maybe(z.object({ by: z.enum(['stop', 'delete']), at: time })),
  lastSeen: maybe(z.enum(['alive', 'deleting', 'terminal'])),
  orphan: maybe(z.object({ state: z.enum(['uncounted', 'held', 'released']), since: time })),
  absentSince: maybe(time),
  settled: z.boolean().default(false),
  reported: z.array(z.string()),
  fault: maybe(z.object({ reason: z.string(), message: z.string() })),
  keptLog: maybe(keptLog),
  freeing: z.boolean().default(false),
  // What the ledger would lose is no reason to lose the rest of the row.
  usage: maybe(podUsage).catch(undefined),
  agent: maybe(agentMemory),
  files: maybe(knownFiles).catch(undefined),
});

const usageRecord: z.ZodType<UsageRecord> = z.object({
  cluster: z.string().min(1),
  node: z.string().min(1),
  namespace: z.string().min(1),
  name: z.string().min(1),
  uid: z.string().min(1),
  owner: owner.exactOptional(),
  cpu: share,
  memoryInGB: share,
  startedAt: time,
  endedAt: time,
});

const nodeRefusal = z.object({ asked: z.string(), answer: z.string(), times: z.int().min(0), retryAt: time });

const nodeRow: z.ZodType<NodeRow> = z.object({
  resyncedAt: maybe(time),
  countedAt: maybe(time),
  relayHeardAt: maybe(time),
  relayFeatures: z.array(z.string()).exactOptional(),
  endingPods: z.int().min(0).default(0),
  earliestStartMs: maybe(z.number().min(0)),
  orphans: z.record(z.string(), time),
  emptySince: maybe(time),
  usage: maybe(
    z.object({
      readAt: time,
      coresFree: z.number(),
      groupsFree: z.number(),
      ownCores: z.number().default(0),
      ownGroups: z.number().default(0),
      endedCores: z.number().default(0),
      endedGroups: z.number().default(0),
    }),
  ),
  refusals: z
    .object({
      node: nodeRefusal.exactOptional(),
      'own-labels': nodeRefusal.exactOptional(),
      taint: nodeRefusal.exactOptional(),
      cordon: nodeRefusal.exactOptional(),
      'registered-labels': nodeRefusal.exactOptional(),
    })
    .exactOptional(),
});

const bucketState: z.ZodType<BucketState> = z.object({
  tokens: z.number(),
  at: time,
  closedUntil: time.exactOptional(),
  slots: z.array(z.tuple([z.int(), z.number().min(0)])).exactOptional(),
  presumed: z.object({ until: time, left: z.number() }).exactOptional(),
});

const capacityState: z.ZodType<CapacityState> = z.object({
  message: z.string(),
  seenAt: z.enum(['put', 'group']),
  attempt: z.int().min(0),
  askAt: time,
  width: z.int().min(1),
  asking: z.array(z.object({ uid: z.string(), until: time })),
});

const words = z.array(z.string());

const imageConfig: z.ZodType<ImageConfig> = z.object({
  digest,
  entrypoint: words,
  cmd: words,
  env: z.record(z.string(), z.string()),
  workingDir: z.string(),
  user: z.string(),
  stopSignal: z.string().exactOptional(),
});

const imageTag: z.ZodType<ImageTag> = z.object({ digest, readAt: time });

const envelope = z.object({ schemaVersion: z.int().min(1) });

function parse<T>(schema: z.ZodType<T>, text: string): ParsedRow<T> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { kind: 'garbage' };
  }
  const version = envelope.safeParse(json);
  if (!version.success) return { kind: 'garbage' };
  if (version.data.schemaVersion > schemaVersion) return { kind: 'newer' };
  const row = schema.safeParse(json);
  return row.success ? { kind: 'row', value: row.data } : { kind: 'garbage' };
}

export type RowParser<T> = (text: string) => ParsedRow<T>;

export const parsePodRow: RowParser<PodRow> = (text) => parse(podRow, text);
export const parseNodeRow: RowParser<NodeRow> = (text) => parse(nodeRow, text);
export const parseBucketState: RowParser<BucketState> = (text) => parse(bucketState, text);
export const parseCapacityState: RowParser<CapacityState> = (text) => parse(capacityState, text);
export const parseUsageRecord: RowParser<UsageRecord> = (text) => parse(usageRecord, text);
export const parseImageConfigRow: RowParser<ImageConfig> = (text) => parse(imageConfig, text);
export const parseImageTag: RowParser<ImageTag> = (text) => parse(imageTag, text);

type AnyRow = PodRow | NodeRow | BucketState | CapacityState | UsageRecord | ImageConfig | ImageTag;

/** The text that the parsers read. */
export const formatRow = (row: AnyRow): string => JSON.stringify({ ...row, schemaVersion });
