import pLimit from 'p-limit';
import { defined } from '../core/defined.ts';
import { groupName } from '../core/group/identity.ts';
import { minuteMs } from '../core/resource-metrics/minute-averages.ts';
import { answerOf } from '../wire/relay-protocol/group-metrics.ts';
import type { MetricsAnswer, MetricsQuery } from '../wire/relay-protocol/group-metrics.ts';
import { within } from './deps.ts';
import type { ClusterDeps, Deps } from './deps.ts';

const atOnce = 10;
/** A tick is not held up for longer; what was not asked by then waits for the next. */
const readMs = 5_000;
/** Who may not read metrics learns it once in a while. */
const deniedMs = 600_000;
/** So much of the past is read at most. */
const longestMs = 900_000;

/**
 * What Azure Monitor knows of the pods that the relay asks for with a tick that it makes anyway: nothing is executed for
 * metrics alone. A pod must be known on its node, by its row, so that a relay reads no other cluster's. A pod of which nothing is known
 * is answered too; one that a budget had no room for is not, and then the answer says when to ask again.
 */
export async function readGroupMetrics(
  deps: Deps,
  cluster: ClusterDeps,
  queries: readonly MetricsQuery[],
  signal: AbortSignal,
): Promise<MetricsAnswer> {
  const now = queries.length === 0 ? undefined : await deps.store.now();
  if (now?.ok !== true) return { pods: [] };
  const deadline = within(deps, signal, readMs);
  const round: Round = { deps, cluster, now: now.value, signal: deadline, retryInMs: undefined };
  const limit = pLimit(atOnce);
  const pods = await Promise.all(queries.map((query) => limit(() => readOne(round, query))));
  return { pods: pods.filter((pod) => pod !== undefined), ...defined({ retryInMs: round.retryInMs }) };
}

interface Round {
  readonly deps: Deps;
  readonly cluster: ClusterDeps;
  /** The Table service's time. */
  readonly now: number;
  readonly signal: AbortSignal;
  /** Set by whoever was refused: nobody else asks then. */
  retryInMs: number | undefined;
}

async function readOne(round: Round, query: MetricsQuery): Promise<MetricsAnswer['pods'][number] | undefined> {
  const { deps, now, signal } = round;
  if (round.retryInMs !== undefined || signal.aborted) return undefined;
  const nothing = answerOf(query.uid, new Map());
  const group = await groupOf(round, query);
  const fromMs = Math.floor(Math.max(query.sinceMs, now - longestMs) / minuteMs) * minuteMs;
  if (group === undefined || now - fromMs < minuteMs) return nothing;
  const read = await deps.groups.listMetrics(group, { fromMs, toMs: now }, signal);
  if (read.ok) return answerOf(query.uid, read.value);
  switch (read.fault.kind) {
    case 'throttled':
      round.retryInMs = read.fault.retryAfterMs;
      return undefined;
    case 'denied':
      round.retryInMs = deniedMs;
      return undefined;
    case 'not-found':
    case 'conflict':
    case 'rejected':
    case 'capacity':
    case 'transient':
      return nothing;
  }
}

/** The group of a pod that is known on this node and has one. */
async function groupOf({ deps, cluster }: Round, query: MetricsQuery): Promise<string | undefined> {
  const node = cluster.nodes.get(query.node);
  const row = node && (await deps.store.getPod(node.key, query.uid));
  if (node === undefined || row?.ok !== true || row.value === undefined) return undefined;
  const { namespace, name, intent } = row.value.value;
  if (namespace !== query.namespace || name !== query.name || intent.kind !== 'accepted') return undefined;
  return groupName({ installation: node.facts.installation, namespace, name, uid: query.uid });
}
