import { isTerminalPhase } from '../../../../shared/core/kubernetes/pod.ts';
import type { Pod } from '../../../../shared/core/kubernetes/pod.ts';
import type { NodeKey } from '../../../../shared/core/node/node-key.ts';
import type { PodRow } from '../../../../shared/core/reconcile/pod-row.ts';
import type { ContainerRun } from '../group-life.ts';
import type { PodStory } from './pod-stories.ts';
import { groupsOf, inSeconds, runsOf, uidOf } from './true-status.ts';
import type { Outside } from './violation.ts';

/**
 * O7 and O1: why the world is not at rest yet, or undefined. At rest means: a live pod has one group, whose containers
 * its status reports, and a row that is due some day; an ended one has nothing that runs and a row that is done; of one
 * that is gone there is neither row nor group; no row is locked, no due key is left over, the Node is there.
 */
export function unsettled(
  { now, cluster, groups, store }: Outside,
  node: NodeKey,
  stories: ReadonlyMap<string, PodStory>,
): string | undefined {
  const rows = new Map(store.readPods(node).map((row) => [row.uid, row]));
  for (const story of stories.values()) {
    const { uid } = story;
    const held = { row: rows.get(uid), groups: groupsOf(groups, uid), alive: aliveOf(runsOf(groups, uid)) };
    const why = unsettledPod(story, held, now);
    if (why !== undefined) return `${uid.slice(-2)}: ${why}`;
  }
  for (const row of rows.values()) if (!stories.has(row.uid)) return `a row of nobody: ${row.uid}`;
  const stale = store.readDue(node).find(({ uid, dueAt }) => rows.get(uid)?.dueAt !== dueAt);
  if (stale !== undefined) return `a due key is left over: ${stale.uid}`;
  const strays = groups.names().filter((name) => !stories.has(uidOf(groups.readGroup(name)?.body.tags ?? {})));
  if (strays.length > 0) return `groups of nobody: ${strays.join(', ')}`;
  return cluster.nodes.get(node.node).ok ? undefined : 'the Node is missing';
}

/** What there is of one pod. */
export interface Held {
  readonly row: PodRow | undefined;
  readonly groups: readonly string[];
  /** What runs of it. */
  readonly alive: readonly ContainerRun[];
}

export const aliveOf = (runs: readonly ContainerRun[]): readonly ContainerRun[] =>
  runs.filter(({ end }) => end === 'running');

function unsettledPod(story: PodStory, held: Held, now: number): string | undefined {
  const { pod } = story;
  if (story.goneAt === undefined) {
    if (pod.metadata.deletionTimestamp !== undefined && pod.metadata.deletionGracePeriodSeconds !== 0)
      return 'a pod that is to go is there';
    if (held.row === undefined) return 'no row';
    if (held.row.lock !== undefined) return 'a lock';
    if (!isTerminalPhase(pod.status.phase)) return unsettledLiving(pod, held.row, { ...held, now });
  }
  return unsettledOver(story, held);
}

/** O1 and O7 of a pod that is over: of a gone one there is nothing left, of an ended one nothing runs and all is reported. */
export function unsettledOver({ goneAt }: PodStory, { row, groups, alive }: Held): string | undefined {
  if (goneAt === undefined) {
    if (alive.length > 0) return 'what is over still runs';
    return row?.settled === true ? undefined : 'its end is not settled';
  }
  if (groups.length > 0 || alive.length > 0) return 'a group of a pod that is gone';
  return row === undefined ? undefined : 'a row of a pod that is gone';
}

function unsettledLiving(
  pod: Pod,
  row: PodRow,
  seen: { readonly groups: readonly string[]; readonly alive: readonly ContainerRun[]; readonly now: number },
): string | undefined {
  // What ACI can't run waits without costing anything.
  const isRefused = pod.metadata.ownerReferences.some(({ kind }) => kind === 'DaemonSet');
  if (isRefused)
    return seen.groups.length === 0 && row.dueAt === undefined ? undefined : 'a refused pod costs something';
  if (seen.groups.length !== 1) return `${seen.groups.length} groups of a live pod`;
  if (row.dueAt === undefined || row.dueAt < seen.now - 30_000) return `due at ${row.dueAt}`;
  const reported = pod.status.containerStatuses.every(
    ({ name, state }) =>
      state.kind === 'running' &&
      seen.alive.some((run) => run.container === name && inSeconds(run.startedAt) === state.startedAt),
  );
  return reported && seen.alive.length > 0 ? undefined : 'its status does not report what runs';
}
