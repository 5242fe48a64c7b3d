import pLimit from 'p-limit';
import { describeFault, ok } from '../core/fault.ts';
import type { Result } from '../core/fault.ts';
import { groupName, groupOwner } from '../core/group/identity.ts';
import type { ListedGroup } from '../core/group/group.ts';
import type { Pod } from '../core/kubernetes/pod.ts';
import { nodeKeyText } from '../core/node/node-key.ts';
import { newNodeRow } from '../core/reconcile/node-row.ts';
import type { NodeRow } from '../core/reconcile/node-row.ts';
import { newPodRow } from '../core/reconcile/pod-row.ts';
import type { PodRow } from '../core/reconcile/pod-row.ts';
import { planResync } from '../core/reconcile/resync-plan.ts';
import type { Versioned } from '../ports/state-store.ts';
import { within } from './deps.ts';
import type { Deps, NodeDeps, PodRef } from './deps.ts';
import { measureNode } from './measure-node.ts';
import { readUsage } from './read-usage.ts';
import { updateNode } from './update-node.ts';

const everyMs = 300_000;
/** A relay that has not called for this long is taken to be down. */
const relaySilenceMs = 45_000;
const atOnce = 8;
/** The ledger holds a year and what is needed to compare its first month: 400 days. */
const ledgerMs = 400 * 86_400_000;

/**
 * Compares nodes with the API server and with ARM, and makes due what does not match. Every five minutes (or `force`)
 * the whole: the ARM list first, for all nodes of this call, the pod list second, since only a group of the first may be
 * an orphan (DESIGN rule 4). In between, and only while the relay is silent, the pods alone, so that new ones still
 * start. An incomplete list has no effect.
 */
export async function resync(
  deps: Deps,
  nodes: readonly NodeDeps[],
  options: { readonly force: boolean },
  signal: AbortSignal,
): Promise<void> {
  let groups: Result<readonly ListedGroup[]> | undefined;
  for (const node of nodes) {
    if (signal.aborted) return;
    const due = await readDueNode(deps, node, options.force);
    if (due === undefined) continue;
    if (due.scope === 'whole') groups ??= await listGroups(deps, signal);
    await resyncNode(
      deps,
      node,
      { ...due, groups: due.scope === 'whole' && groups?.ok === true ? groups.value : undefined },
      signal,
    );
  }
  if (groups?.ok === true) warnOfStrangers(deps, groups.value);
}

async function listGroups(deps: Deps, signal: AbortSignal): Promise<Result<readonly ListedGroup[]>> {
  const groups = await deps.groups.list(within(deps, signal, 15_000));
  if (!groups.ok) deps.log.warn('container groups could not be listed', { fault: describeFault(groups.fault) });
  return groups;
}

interface DueNode {
  readonly scope: 'whole' | 'pods';
  readonly now: number;
  readonly previous: Versioned<NodeRow> | undefined;
}

async function readDueNode(deps: Deps, node: NodeDeps, force: boolean): Promise<DueNode | undefined> {
  const now = await deps.store.now();
  const previous = await deps.store.getNode(node.key);
  if (!now.ok || !previous.ok) return undefined;
  const { resyncedAt, relayHeardAt, endingPods } = previous.value?.value ?? newNodeRow();
  deps.endingPods.set(nodeKeyText(node.key), endingPods);
  const isOlder = (at: number | undefined, ms: number): boolean => at === undefined || now.value - at >= ms;
  const due = { now: now.value, previous: previous.value };
  if (force || isOlder(resyncedAt, everyMs)) return { scope: 'whole', ...due };
  return isOlder(relayHeardAt, relaySilenceMs) ? { scope: 'pods', ...due } : undefined;
}

async function resyncNode(
  deps: Deps,
  node: NodeDeps,
  input: DueNode & { readonly groups: readonly ListedGroup[] | undefined },
  signal: AbortSignal,
): Promise<void> {
  const listed = await listPods(deps, node, signal);
  if (!listed.ok) {
    deps.log.warn('node could not be resynced', {
      node: nodeKeyText(node.key),
      fault: describeFault(listed.fault),
    });
    return;
  }
  const { pods, rows } = listed.value;
  const plan = planResync({
    node: node.key,
    installation: node.facts.installation,
    now: input.now,
    groups: input.groups ?? [],
    pods,
    rows,
    orphans: input.previous?.value.orphans ?? {},
  });
  if (plan.braked) {
    deps.log.warn('orphan brake: many container groups have no pod and are kept for ten minutes', {
      node: nodeKeyText(node.key),
      orphans: Object.keys(plan.orphans).length,
    });
  }
  const resyncedAt = input.previous?.value.resyncedAt;
  measureNode(deps, node, {
    pods,
    groups: input.groups,
    orphans: Object.keys(plan.orphans).length,
    sinceMs: resyncedAt === undefined ? undefined : input.now - resyncedAt,
  });
  const limit = pLimit(atOnce);
  const planned = await Promise.all(plan.due.map((ref) => limit(() => makeDue(deps, node, ref))));
  if (input.groups === undefined || planned.some((result) => !result.ok)) return;
  const usage = await readUsage(deps, node, { groups: input.groups, now: input.now }, signal);
  const saved = await updateNode(deps, node, () => ({
    resyncedAt: input.now,
    orphans: plan.orphans,
    usage,
    endingPods: plan.endingPods,
  }));
  if (!saved.ok)
    deps.log.warn('resync could not be written down', {
      node: nodeKeyText(node.key),
      fault: describeFault(saved.fault),
    });
  await pruneLedger(deps, node, input.now);
}

/** The API server's pods, and then the rows. */
async function listPods(
  deps: Deps,
  node: NodeDeps,
  signal: AbortSignal,
): Promise<Result<{ readonly pods: readonly Pod[]; readonly rows: readonly PodRow[] }>> {
  // New tables count their first minute from now, not from the first pod, which would have to wait it out.
  const birth = await deps.store.getBirth(node.key);
  if (!birth.ok) return birth;
  const pods = await node.api.listPods(within(deps, signal, 15_000));
  if (!pods.ok) return pods;
  const rows = await deps.store.listPods(node.key);
  return rows.ok ? ok({ pods: pods.value, rows: rows.value.map((row) => row.value) }) : rows;
}

/** A hundred records at a time: no faster than they came. */
async function pruneLedger(deps: Deps, node: NodeDeps, now: number): Promise<void> {
  const pruned = await deps.store.pruneUsage(node.key, now - ledgerMs);
  if (!pruned.ok && pruned.fault.kind !== 'conflict')
    deps.log.warn('old records of the ledger could not be removed', {
      node: nodeKeyText(node.key),
      fault: describeFault(pruned.fault),
    });
}

/** Plans work on a pod, durably: its row is due now, or as soon as whoever holds its lock lets go. */
export async function makeDue(deps: Deps, node: NodeDeps, ref: PodRef): Promise<Result<void>> {
  for (let attempt = 0; ; attempt += 1) {
    const planned = await tryMakeDue(deps, node, ref);
    if (planned.ok || planned.fault.kind !== 'conflict' || attempt === 3) return planned;
  }
}

async function tryMakeDue(deps: Deps, node: NodeDeps, ref: PodRef): Promise<Result<void>> {
  const now = await deps.store.now();
  if (!now.ok) return now;
  const found = await deps.store.getPod(node.key, ref.uid);
  if (!found.ok) return found;
  const row =
    found.value?.value ?? newPodRow({ ...ref, group: groupName({ installation: node.facts.installation, ...ref }) });
  const isLocked = row.lock !== undefined && row.lock.until > now.value;
  if (isLocked ? row.dirty : row.dueAt !== undefined && row.dueAt <= now.value) return ok(undefined);
  const birth = found.value === undefined ? await deps.store.getBirth(node.key) : undefined;
  if (birth?.ok === false) return birth;
  const saved = await deps.store.upsertPod(
    node.key,
    isLocked ? { ...row, dirty: true } : { ...row, dueAt: now.value },
    { previous: found.value, ...(birth === undefined ? {} : { birth: birth.value }) },
  );
  return saved.ok ? ok(undefined) : saved;
}

/** Groups of clusters or nodes that are not registered (any more) are told of, cluster by cluster, and go only by an explicit command. */
function warnOfStrangers(deps: Deps, groups: readonly ListedGroup[]): void {
  const strangers = groups.flatMap((group) => {
    const owner = groupOwner(group.tags);
    const isStranger =
      owner?.installation === deps.settings.INSTALLATION &&
      deps.clusters.get(owner.cluster)?.nodes.get(owner.node) === undefined;
    return isStranger ? [{ cluster: owner.cluster, name: group.name }] : [];
  });
  deps.telemetry.measure('serverless_kubelet.unknown_groups', strangers.length, {});
  for (const [cluster, ofCluster] of Map.groupBy(strangers, (stranger) => stranger.cluster))
    deps.log.warn('container groups of unknown clusters or nodes exist', {
      cluster,
      groups: ofCluster.length,
      first: ofCluster[0]?.name,
    });
}
