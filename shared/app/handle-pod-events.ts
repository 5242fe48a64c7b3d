import pLimit from 'p-limit';
import { describeFault } from '../core/fault.ts';
import { nodeKeyText } from '../core/node/node-key.ts';
import { newNodeRow } from '../core/reconcile/node-row.ts';
import { earliestStartMs } from '../core/reconcile/start-times.ts';
import { parseTraceparent } from '../core/telemetry/traceparent.ts';
import { clampTickMs } from '../wire/relay-protocol/bounds.ts';
import type { RelayFeature } from '../wire/relay-protocol/features.ts';
import type { PodEventsAnswer } from '../wire/relay-protocol/pod-events-answer.ts';
import type { PodEvents, PodKey } from '../wire/relay-protocol/pod-events.ts';
import type { ClusterDeps, Deps, NodeDeps } from './deps.ts';
import { heartbeat } from './heartbeat.ts';
import { makeDue } from './make-due.ts';
import { readGroupMetrics } from './read-group-metrics.ts';
import { sweep } from './sweep.ts';
import { traceReconcile } from './trace-reconcile.ts';
import { updateNode } from './update-node.ts';
import { defined } from '../core/defined.ts';

/** Most of a create is waiting for ARM: 150 pods in four posts wait together. */
const atOnce = 50;
/** Of those that a budget held up, so many are tried again within the post. */
const mostAgain = 32;
const recordRelayEveryMs = 15_000;
const readNodeEveryMs = 3_000;
/** Whoever is polled within this time takes part in sharing the reads. */
const farthestPollMs = 63_000;

export type PodEventsOutcome =
  /** All is done, or durably planned. `nowMs` is the Table service's time. */
  | { readonly kind: 'accepted'; readonly answer: PodEventsAnswer; readonly nowMs: number }
  /** Something could be neither done nor planned: post it again. */
  | { readonly kind: 'unavailable'; readonly message: string };

/** What was posted, and what the relay's ports serve that the Node must declare; absent: nothing. */
export type HeardEvents = PodEvents & { readonly features?: readonly RelayFeature[] };

/**
 * Handles what the relay posted: each key is reconciled at once, or planned when the invocation's time runs out. A tick
 * renews the Leases and sweeps; a snapshot (a relay that has just listed, maybe the first of a cluster that was just registered) resyncs as well, since deletes may have passed unseen.
 * `attach` wakes the app so that a new Node is there at once, and no relay has been heard by that.
 */
export async function handlePodEvents(
  deps: Deps,
  cluster: ClusterDeps,
  events: HeardEvents,
  signal: AbortSignal,
): Promise<PodEventsOutcome> {
  const nodes = [...cluster.nodes.values()];
  const unknownNodes = [...new Set(events.pods.map((pod) => pod.node))].filter((name) => !cluster.nodes.has(name));
  if (unknownNodes.length > 0)
    deps.log.warn('relay posts pods of nodes that are not registered', {
      nodes: unknownNodes.length,
      first: unknownNodes[0],
    });
  const [lost] = await Promise.all([
    handleKeys(deps, cluster, events.pods, signal),
    events.kind === 'wake'
      ? undefined
      : Promise.all(nodes.map((node) => recordRelay(deps, node, events.features ?? []))),
  ]);
  if (lost !== undefined) return { kind: 'unavailable', message: lost };
  const [metrics] = await Promise.all([
    readGroupMetrics(deps, cluster, events.metrics ?? [], signal),
    workOnNodes(deps, nodes, events.kind, signal),
  ]);
  return nextPoll(deps, nodes, { unknownNodes, metrics });
}

async function workOnNodes(
  deps: Deps,
  nodes: readonly NodeDeps[],
  kind: PodEvents['kind'],
  signal: AbortSignal,
): Promise<void> {
  switch (kind) {
    case 'delta':
      return;
    case 'wake':
      return heartbeat(deps, nodes, signal);
    case 'tick':
    case 'snapshot':
      await Promise.all([heartbeat(deps, nodes, signal), sweep(deps, nodes, { resync: kind === 'snapshot' }, signal)]);
  }
}

/**
 * Notes that the relay calls, what its ports serve, how many polls are planned and how long starts take, so that polls can be spread over what ARM grants; at most one
 * write in a while, and none that matters when it is lost.
 */
async function recordRelay(deps: Deps, node: NodeDeps, features: readonly RelayFeature[]): Promise<void> {
  const name = nodeKeyText(node.key);
  const readAtMs = deps.clock.monotonicMs();
  // A burst is many posts, and its first has read the row.
  if (readAtMs - (deps.nodeHints.get(name)?.recordedAtMs ?? -Infinity) < readNodeEveryMs) return;
  const now = await deps.store.now();
  const row = await deps.store.getNode(node.key);
  if (!now.ok || !row.ok) return;
  const isOld = (at: number | undefined): boolean => at === undefined || now.value - at >= recordRelayEveryMs;
  const { endingPods, earliestStartMs: theirs, relayHeardAt: heardAt } = row.value?.value ?? newNodeRow();
  const recorded = { relayHeardAt: now.value, readAtMs, recordedAtMs: readAtMs };
  deps.nodeHints.set(name, { endingPods, earliestStartMs: theirs, ...recorded });
  if (!isOld(heardAt)) return;
  const planned = await deps.store.countDue(node.key, now.value + farthestPollMs);
  const hints = {
    endingPods: planned.ok ? planned.value : endingPods,
    earliestStartMs: earliestStartMs(deps.startTimes.get(name) ?? []) ?? theirs,
  };
  deps.nodeHints.set(name, { ...hints, ...recorded });
  const changes = { relayHeardAt: now.value, relayFeatures: features, ...hints };
  await updateNode(deps, node, ({ relayHeardAt }) => (isOld(relayHeardAt) ? changes : undefined));
}

/**
 * Works on all keys. While the others were worked on a budget may have filled up: what waited for it is then tried once
 * more, a few, since the next tick is a second away. Answers the sentence of a key that could be neither done nor planned.
 */
async function handleKeys(
  deps: Deps,
  cluster: ClusterDeps,
  pods: readonly PodKey[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const limit = pLimit(atOnce);
  const work = (some: readonly PodKey[]): Promise<readonly Handled[]> =>
    Promise.all(some.map((pod) => limit(() => handleKey(deps, cluster, pod, signal))));
  const first = await work(pods);
  const now = deps.clock.monotonicMs();
  const again = pods.filter((_, index) => (first[index]?.throttledUntil ?? Infinity) <= now).slice(0, mostAgain);
  const second = await work(again);
  return [...first, ...second].find(({ lost }) => lost !== undefined)?.lost;
}

interface Handled {
  /** The key could be neither worked on nor planned. */
  readonly lost?: string;
  /** It waits for a budget, planned for this monotonic time. */
  readonly throttledUntil?: number;
}

async function handleKey(deps: Deps, cluster: ClusterDeps, pod: PodKey, signal: AbortSignal): Promise<Handled> {
  const node = cluster.nodes.get(pod.node);
  if (node === undefined) return {};
  const ref = { namespace: pod.namespace, name: pod.name, uid: pod.uid };
  const version = pod.resourceVersion;
  if (!signal.aborted) {
    const parent = parseTraceparent(pod.traceparent ?? '');
    const outcome = await traceReconcile(
      deps,
      node,
      { ref, version, reports: pod.readiness, ...defined({ parent }) },
      signal,
    );
    if (outcome.kind === 'nothing' || outcome.kind === 'worked') return {};
    if (outcome.kind === 'failed')
      deps.log.warn('pod event could not be handled at once', {
        node: nodeKeyText(node.key),
        pod: pod.name,
        fault: describeFault(outcome.fault),
      });
    if (outcome.kind === 'failed' && outcome.planned)
      return outcome.fault.kind === 'throttled'
        ? { throttledUntil: deps.clock.monotonicMs() + outcome.fault.retryAfterMs }
        : {};
  }
  const planned = await makeDue(deps, node, ref, version);
  return planned.ok ? {} : { lost: describeFault(planned.fault) };
}

async function nextPoll(
  deps: Deps,
  nodes: readonly NodeDeps[],
  rest: Pick<PodEventsAnswer, 'unknownNodes' | 'metrics'>,
): Promise<PodEventsOutcome> {
  const now = await deps.store.now();
  if (!now.ok) return { kind: 'unavailable', message: describeFault(now.fault) };
  const due = await Promise.all(nodes.map((node) => deps.store.getNextDue(node.key)));
  const earliest = Math.min(...due.map((next) => (next.ok ? (next.value ?? Infinity) : Infinity)));
  const removedNodes = nodes.filter(({ registration }) => registration.state === 'removed').map(({ key }) => key.node);
  const answer = { nextTickInMs: clampTickMs(earliest - now.value), removedNodes, ...rest };
  return { kind: 'accepted', answer, nowMs: now.value };
}
