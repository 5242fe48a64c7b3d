import type { GroupObservation, ObservedContainer } from '../group/group.ts';
import { controllerOf } from '../kubernetes/pod.ts';
import type { Pod } from '../kubernetes/pod.ts';
import type { NodeKey } from '../node/node-key.ts';
import { effectiveRequest, toGroupResources } from '../pod/resources.ts';
import type { PodRow } from '../reconcile/pod-row.ts';
import { groupCondition } from '../status/status.ts';
import type { PodUsage, Span, UsageOwner } from './pod-usage.ts';
import { defined } from '../defined.ts';

/** What a pod used, for its container group's whole life or one of several: a row of the ledger. Times in ms. */
export interface UsageRecord {
  readonly cluster: string;
  readonly node: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** The controller: a Job's or a ReplicaSet's own name. */
  readonly owner?: UsageOwner;
  /** Cores that the group requests. */
  readonly cpu: number;
  readonly memoryInGB: number;
  /** The first image's pull, as near as it was seen. */
  readonly startedAt: number;
  /** The last container's end, as near as it was seen. */
  readonly endedAt: number;
}

/** A row must stay small; a pod with more groups has the rest added to its last span. */
const mostEarlier = 8;

type WithUsage = Pick<PodRow, 'intent' | 'usage'>;

/** What a row keeps when a (new) group is about to be PUT: what was before is over. */
export function usageOfNewGroup({ intent, usage }: WithUsage, pod: Pod, now: number): PodUsage {
  const span = usage === undefined ? undefined : spanOf({ intent, usage }, now);
  const earlier = usage?.earlier ?? [];
  return { ...requestOf(pod), earlier: span === undefined ? earlier : addSpan(earlier, span) };
}

/** What a row keeps after a poll of the group; the same object when the poll reported nothing new. */
export function usageOfPoll(
  usage: PodUsage | undefined,
  pod: Pod | undefined,
  poll: { readonly group: GroupObservation; readonly now: number },
): PodUsage | undefined {
  const known = usage ?? (pod === undefined ? undefined : { ...requestOf(pod), earlier: [] });
  if (known === undefined) return undefined;
  const { startedAt, endedAt, ...rest } = known;
  const end = endOf(poll.group, endedAt, poll.now);
  const start = startOf(poll.group, startedAt) ?? end;
  if (start === startedAt && end === endedAt && known === usage) return usage;
  return {
    ...rest,
    ...defined({ startedAt: start, endedAt: end }),
  };
}

/**
 * What the ledger says of a row: one record for each group that started, to its end or to `now`. None for a pod whose
 * group never started, and for a row of a version that kept nothing.
 */
export function usageOfRow(
  node: NodeKey,
  row: Pick<PodRow, 'namespace' | 'name' | 'uid' | 'intent' | 'usage'>,
  now: number,
): readonly UsageRecord[] {
  const { usage, intent, namespace, name, uid } = row;
  if (usage === undefined) return [];
  const { cpu, memoryInGB, owner, earlier } = usage;
  const span = spanOf({ intent, usage }, now);
  return (span === undefined ? earlier : [...earlier, span]).map(([startedAt, endedAt]) => ({
    cluster: node.cluster,
    node: node.node,
    namespace,
    name,
    uid,
    ...defined({ owner }),
    cpu,
    memoryInGB,
    startedAt,
    endedAt,
  }));
}

function requestOf(pod: Pod): Omit<PodUsage, 'earlier'> {
  const controller = controllerOf(pod);
  return {
    ...toGroupResources(effectiveRequest(pod)),
    ...(controller === undefined ? {} : { owner: { kind: controller.kind, name: controller.name } }),
  };
}

/** From the start that was seen, or the PUT's acceptance, to the end that was seen, the 404 that confirmed our DELETE, or now. */
function spanOf({ intent, usage }: WithUsage, now: number): Span | undefined {
  const startedAt = usage?.startedAt ?? (intent.kind === 'accepted' ? intent.at : undefined);
  if (startedAt === undefined) return undefined;
  const endedAt = usage?.endedAt ?? (intent.kind === 'deleted' ? intent.at : now);
  return endedAt > startedAt ? [Math.round(startedAt), Math.round(endedAt)] : undefined;
}

function addSpan(earlier: readonly Span[], span: Span): readonly Span[] {
  const last = earlier.at(-1);
  if (earlier.length < mostEarlier || last === undefined) return [...earlier, span];
  return [...earlier.slice(0, -1), [last[0], last[1] + span[1] - span[0]]];
}

const timesOf = (texts: readonly (string | undefined)[]): readonly number[] =>
  texts.map((text) => Date.parse(text ?? '')).filter(Number.isFinite);

const views = (container: ObservedContainer) => container.instanceView;

function startOf(group: GroupObservation, known: number | undefined): number | undefined {
  const seen = timesOf(
    [...group.initContainers, ...group.containers].flatMap((container) => {
      const view = views(container);
      const pulls = (view?.events ?? []).filter((event) => event.name === 'Pulling');
      return [
        ...pulls.map((event) => event.firstTimestamp),
        view?.previousState?.startTime,
        view?.currentState?.startTime,
      ];
    }),
  );
  const all = known === undefined ? seen : [...seen, known];
  return all.length === 0 ? undefined : Math.min(...all);
}

function endOf(group: GroupObservation, known: number | undefined, now: number): number | undefined {
  const condition = groupCondition(group);
  switch (condition) {
    case 'provisioning':
    case 'running':
      return undefined;
    case 'ended': {
      const ends = timesOf(
        [...group.initContainers, ...group.containers].map((container) => views(container)?.currentState?.finishTime),
      );
      return ends.length === 0 ? (known ?? now) : Math.max(...ends);
    }
    case 'stopped':
    case 'failed-to-provision':
      return known ?? now;
    case 'deleting':
      return known;
  }
}
