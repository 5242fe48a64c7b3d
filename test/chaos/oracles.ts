import type { ContainerRun } from '../../infra/local/sim/group-life.ts';
import type { GroupObservation } from '../../shared/core/group/group.ts';
import { isTerminalPhase } from '../../shared/core/kubernetes/pod.ts';
import type { ContainerStatus } from '../../shared/core/kubernetes/pod.ts';
import { aliveOf, unsettledOver } from '../../infra/local/sim/oracles/at-rest.ts';
import type { PodStory } from '../../infra/local/sim/oracles/pod-stories.ts';
import { isTrue } from '../../infra/local/sim/oracles/true-status.ts';
import type { PodRow } from '../../shared/core/reconcile/pod-row.ts';
import type { Incarnation } from './arm-server.ts';
import type { PodPlan } from './population.ts';

/** All that the oracles of docs/architecture.md look at. */
export interface Evidence {
  readonly stories: ReadonlyMap<string, PodStory>;
  readonly incarnations: ReadonlyMap<string, readonly Incarnation[]>;
  /** What ARM shows at the end. */
  readonly groups: ReadonlyMap<string, GroupObservation>;
  readonly plans: ReadonlyMap<string, PodPlan>;
  /** What truly ran, by `uid/container`. */
  readonly runs: ReadonlyMap<string, readonly ContainerRun[]>;
  /** When all tables were lost. */
  readonly tablesLostAt: readonly number[];
}

const isThere = (story: PodStory | undefined): boolean => story !== undefined && story.goneAt === undefined;

/** O1: at the end, one group for each pod that needs one, and none for one that is gone. */
export function oneGroupEach({ stories, incarnations, groups, plans }: Evidence): string[] {
  const owned = new Map(
    [...incarnations.values()].flatMap((own) => own.map(({ group, uid }) => [group, uid] as const)),
  );
  const orphans = [...groups.keys()].filter((name) => !isThere(stories.get(owned.get(name) ?? '')));
  const missing = [...stories.values()].filter((story) => {
    const isNeeded = isThere(story) && plans.get(story.uid)?.expectation === 'serves';
    return isNeeded && ![...groups.keys()].some((name) => owned.get(name) === story.uid);
  });
  return [
    ...orphans.map((name) => `O1 ${owned.get(name) ?? name}: group ${name} has no pod`),
    ...missing.map(({ uid }) => `O1 ${uid}: the pod has no group`),
  ];
}

/**
 * O2: a group is made again only for what the world took away or never gave, never over a living one; and under `Never`
 * not after its containers started, unless nobody could know.
 */
export function ranOnce({ incarnations, tablesLostAt }: Evidence): string[] {
  return [...incarnations.values()].flatMap((own) =>
    own.flatMap((later, index) => {
      const earlier = own[index - 1];
      const isRowLost = tablesLostAt.some((at) => (earlier?.at ?? at) <= at && at <= later.at);
      const why = earlier === undefined ? undefined : madeAgain(earlier, later, isRowLost);
      return why === undefined ? [] : [`O2 ${later.uid}: ${why}`];
    }),
  );
}

function madeAgain(earlier: Incarnation, later: Incarnation, isRowLost: boolean): string | undefined {
  const { erased } = earlier;
  if (earlier.fails) return undefined;
  if (erased === undefined || erased.by === 'put') return 'PUT over a group that was there';
  if (erased.by === 'stop' || erased.by === 'delete')
    return `made again after our own ${erased.by} of a group that had not failed`;
  const hasStarted = erased.at > earlier.startsAt;
  const isKnown = earlier.evidence === 'status' || (earlier.evidence === 'row' && !isRowLost);
  return later.restartPolicy === 'Never' && hasStarted && isKnown
    ? `Never, and made again after a loss (its acceptance was in the ${earlier.evidence})`
    : undefined;
}

/** An end that was in ARM for this long before we erased it must have been harvested: a term of the lock and a stale answer. */
const harvestedWithinMs = 50_000;

/** O3: what a status says of an end is what happened, for every end that ARM showed before we erased it. */
export function trueEnds(evidence: Evidence): string[] {
  return [...evidence.stories.values()].flatMap((story) => {
    const own = evidence.incarnations.get(story.uid) ?? [];
    const { initContainerStatuses, containerStatuses } = story.pod.status;
    return [...initContainerStatuses, ...containerStatuses].flatMap((status) => {
      const why = untrue(status, own, evidence);
      return why === undefined ? [] : [`O3 ${story.uid}/${status.name}: ${why}`];
    });
  });
}

function untrue(
  status: ContainerStatus,
  own: readonly Incarnation[],
  { groups, runs }: Pick<Evidence, 'groups' | 'runs'>,
): string | undefined {
  const ran = own.flatMap(({ uid }) => runs.get(`${uid}/${status.name}`) ?? []);
  const said = [status.state, status.lastState].find((state) => state !== undefined && !isTrue(state, ran));
  if (said !== undefined) return `its status reports a run that was not: ${JSON.stringify(said)}`;
  if (status.state.kind !== 'terminated' || status.state.reason !== 'ContainerStatusUnknown') return undefined;
  const ends = own.flatMap((incarnation) => endsOf(incarnation, status.name, groups.get(incarnation.group)));
  const missed = ends.find(({ finishTime, erased }) => {
    const byUs = erased === undefined || erased.by !== 'world';
    return byUs && (erased?.at ?? Infinity) - Date.parse(finishTime ?? '') > harvestedWithinMs;
  });
  return missed === undefined
    ? undefined
    : `status says unknown, but ARM showed ${missed.exitCode} since ${missed.finishTime ?? ''}`;
}

/**
 * O3: no end is reported a container that never began. Only who had an accepted group taken away by the world may be asked to
 * have lost it: nobody can know what ran in it.
 */
export function reportedNothing({ stories, incarnations, runs, tablesLostAt }: Evidence): string[] {
  return [...stories.values()].flatMap(({ uid, pod }) => {
    const own = incarnations.get(uid) ?? [];
    const isTaken =
      own.some(({ erased }) => erased?.by === 'world') || tablesLostAt.some((at) => own.some((one) => one.at <= at));
    // A pod that its deadline ended, or that is deleted, shows that of each container, as a kubelet's does.
    if (isTaken || pod.status.reason !== undefined || pod.metadata.deletionTimestamp !== undefined) return [];
    return pod.status.containerStatuses.flatMap(({ name, state, lastState }) => {
      const said = [state, lastState].find(
        (one) => one?.kind === 'terminated' && one.reason === 'ContainerStatusUnknown',
      );
      return said === undefined || runs.has(`${uid}/${name}`) ? [] : [`O3 ${uid}/${name}: lost, and it never ran`];
    });
  });
}

interface End {
  readonly exitCode: number;
  readonly finishTime: string | undefined;
  readonly erased: Incarnation['erased'];
}

function endsOf(incarnation: Incarnation, name: string, seen: GroupObservation | undefined): End[] {
  const shown = incarnation.erased === undefined ? seen : incarnation.last;
  const container = [...(shown?.containers ?? []), ...(shown?.initContainers ?? [])].find((one) => one.name === name);
  const state = container?.instanceView?.currentState;
  if (state?.exitCode === undefined) return [];
  return [{ exitCode: state.exitCode, finishTime: state.finishTime, erased: incarnation.erased }];
}

/** O6: ARM had to refuse nothing for its own limits. */
export const withinBudget = (refused: readonly string[]): string[] =>
  refused.length === 0 ? [] : [`O6: ${refused.length} requests beyond the budget, the first ${refused[0] ?? ''}`];

/** O7: what has not come to rest. */
export function unsettled({ stories, plans, groups, incarnations }: Evidence, rows: ReadonlySet<string>): string[] {
  const left = [...stories.values()].filter(isThere);
  const owners = new Set(
    [...incarnations.values()].flatMap((own) => own.filter(({ group }) => groups.has(group)).map(({ uid }) => uid)),
  );
  return [
    ...left.flatMap((story) => {
      const why = restless(story, plans.get(story.uid));
      return why === undefined ? [] : [`O7 ${story.uid}: ${why}`];
    }),
    ...[...owners]
      .filter((uid) => stories.get(uid)?.goneAt !== undefined)
      .map((uid) => `O7 ${uid}: gone, its group is not`),
    ...[...rows].filter((uid) => !isThere(stories.get(uid))).map((uid) => `O7 ${uid}: gone, its row is not`),
  ];
}

function restless({ pod }: PodStory, plan: PodPlan | undefined): string | undefined {
  const { phase, containerStatuses } = pod.status;
  const states = containerStatuses.map(({ state }) => state.kind).join(',');
  if (pod.metadata.deletionTimestamp !== undefined) return `is still being deleted, ${phase} ${states}`;
  if (plan?.expectation === 'serves') return phase === 'Running' ? undefined : `does not run: ${phase} ${states}`;
  return isTerminalPhase(phase) ? undefined : `has not ended: ${phase} ${states}`;
}

/** O1 and O7, at the end: what the matrix asks of a pod that is over. */
export function leftOver(
  { stories, groups, incarnations, runs }: Evidence,
  rows: ReadonlyMap<string, PodRow>,
): string[] {
  return [...stories.values()].flatMap((story) => {
    const { uid, pod, goneAt } = story;
    if (goneAt === undefined && !isTerminalPhase(pod.status.phase)) return [];
    const own = (incarnations.get(uid) ?? []).map(({ group }) => group).filter((group) => groups.has(group));
    const ran = pod.status.containerStatuses.flatMap(({ name }) => runs.get(`${uid}/${name}`) ?? []);
    const why = unsettledOver(story, { row: rows.get(uid), groups: own, alive: aliveOf(ran) });
    return why === undefined ? [] : [`O7 ${uid}: ${why}`];
  });
}
