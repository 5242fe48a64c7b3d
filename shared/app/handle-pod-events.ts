import pLimit from 'p-limit';
import { describeFault } from '../core/fault.ts';
import { nodeKeyText } from '../core/node/node-key.ts';
import type { PodEvents, PodKey } from '../wire/pod-events.ts';
import type { ClusterDeps, Deps, NodeDeps } from './deps.ts';
import { heartbeat } from './heartbeat.ts';
import { reconcilePod } from './reconcile-pod.ts';
import { makeDue } from './resync.ts';
import { sweep } from './sweep.ts';
import { updateNode } from './update-node.ts';

const atOnce = 8;
const recordRelayEveryMs = 15_000;
const soonestMs = 1_000;
const latestMs = 30_000;
/** Whoever is looked at within this time takes part in sharing the reads. */
const farthestLookMs = 66_000;

export type PodEventsOutcome =
  /** All is done, or durably planned. Both times are the Table service's, RFC 3339. */
  | {
      readonly kind: 'accepted';
      readonly now: string;
      readonly nextLookAt: string;
      readonly unknownNodes: readonly string[];
      /** Being taken out for good: the relay need not keep their Leases alive. */
      readonly removedNodes: readonly string[];
    }
  /** Something could be neither done nor planned: post it again. */
  | { readonly kind: 'unavailable'; readonly message: string };

/**
 * Handles what the relay posted: each key is reconciled at once, or planned when the invocation's time runs out. A tick
 * renews the Leases and sweeps; a snapshot (a relay that has just listed) resyncs as well, since deletes may have passed unseen.
 */
export async function handlePodEvents(
  deps: Deps,
  cluster: ClusterDeps,
  events: PodEvents,
  signal: AbortSignal,
): Promise<PodEventsOutcome> {
  const nodes = [...cluster.nodes.values()];
  const unknownNodes = [...new Set(events.pods.map((pod) => pod.node))].filter((name) => !cluster.nodes.has(name));
  if (unknownNodes.length > 0)
    deps.log.warn('relay posts pods of nodes that are not registered', { nodes: unknownNodes.join(',') });
  const limit = pLimit(atOnce);
  const [handled] = await Promise.all([
    Promise.all(events.pods.map((pod) => limit(() => handleKey(deps, cluster, pod, signal)))),
    Promise.all(nodes.map((node) => recordRelay(deps, node))),
  ]);
  const lost = handled.find((fault) => fault !== undefined);
  if (lost !== undefined) return { kind: 'unavailable', message: lost };
  if (events.kind === 'tick')
    await Promise.all([heartbeat(deps, nodes, signal), sweep(deps, nodes, { resync: false }, signal)]);
  if (events.kind === 'snapshot') await sweep(deps, nodes, { resync: true }, signal);
  return nextLook(deps, nodes, unknownNodes);
}

/**
 * Notes that the relay calls, and how many looks are planned, so that they can be spread over what ARM grants; at most one
 * write in a while, and none that matters when it is lost.
 */
async function recordRelay(deps: Deps, node: NodeDeps): Promise<void> {
  const now = await deps.store.now();
  const row = await deps.store.getNode(node.key);
  if (!now.ok || !row.ok) return;
  const isOld = (at: number | undefined): boolean => at === undefined || now.value - at >= recordRelayEveryMs;
  deps.endingPods.set(nodeKeyText(node.key), row.value?.value.endingPods ?? 0);
  if (!isOld(row.value?.value.relayHeardAt)) return;
  const planned = await deps.store.countDue(node.key, now.value + farthestLookMs);
  const changes = { relayHeardAt: now.value, ...(planned.ok ? { endingPods: planned.value } : {}) };
  if (planned.ok) deps.endingPods.set(nodeKeyText(node.key), planned.value);
  await updateNode(deps, node, ({ relayHeardAt }) => (isOld(relayHeardAt) ? changes : undefined));
}

/** The fault's sentence when the key could be neither worked on nor planned. */
async function handleKey(
  deps: Deps,
  cluster: ClusterDeps,
  pod: PodKey,
  signal: AbortSignal,
): Promise<string | undefined> {
  const node = cluster.nodes.get(pod.node);
  if (node === undefined) return undefined;
  const ref = { namespace: pod.namespace, name: pod.name, uid: pod.uid };
  if (!signal.aborted) {
    const outcome = await reconcilePod(deps, node, ref, signal);
    if (outcome.kind === 'nothing' || outcome.kind === 'worked') return undefined;
    if (outcome.kind === 'failed')
      deps.log.warn('pod event could not be handled at once', {
        node: nodeKeyText(node.key),
        pod: pod.name,
        fault: describeFault(outcome.fault),
      });
    if (outcome.kind === 'failed' && outcome.planned) return undefined;
  }
  const planned = await makeDue(deps, node, ref);
  return planned.ok ? undefined : describeFault(planned.fault);
}

async function nextLook(
  deps: Deps,
  nodes: readonly NodeDeps[],
  unknownNodes: readonly string[],
): Promise<PodEventsOutcome> {
  const now = await deps.store.now();
  if (!now.ok) return { kind: 'unavailable', message: describeFault(now.fault) };
  const due = await Promise.all(nodes.map((node) => deps.store.getNextDue(node.key)));
  const earliest = Math.min(
    now.value + latestMs,
    ...due.map((next) => (next.ok ? (next.value ?? Infinity) : Infinity)),
  );
  const at = Math.max(now.value + soonestMs, earliest);
  return {
    kind: 'accepted',
    now: new Date(now.value).toISOString(),
    nextLookAt: new Date(at).toISOString(),
    unknownNodes,
    removedNodes: nodes.filter(({ registration }) => registration.state === 'removed').map(({ key }) => key.node),
  };
}
