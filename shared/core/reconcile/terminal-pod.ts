import { isTerminalPhase } from '../kubernetes/pod.ts';
import type { Pod } from '../kubernetes/pod.ts';
import { groupCondition, showsEnd } from '../status/status.ts';
import { waitForPut } from './absent-pod.ts';
import { deleteGroup, stopGroup, wasSent } from './end-group.ts';
import { keepLog, keepLogSurely, pastOf } from './keep-log.ts';
import { backoff, forPods, idle, inMs, wait } from './rule.ts';
import { timing } from './timing.ts';
import type { Observed, Plan } from './observed.ts';
import { defined } from '../defined.ts';

const isTerminal = (pod: Pod): boolean => isTerminalPhase(pod.status.phase);
const isDeleting = (pod: Pod): boolean => pod.metadata.deletionTimestamp !== undefined;

/**
 * Phase Succeeded or Failed is final, whoever wrote it. What still runs is ended; the group stays for its logs until
 * the pod is deleted.
 */
const endedRules = forPods(
  (pod) => isTerminal(pod) && !isDeleting(pod),
  [
    {
      reason: 'put-may-be-in-flight',
      message: 'The pod has ended, and a PUT for it may still land',
      judge: (observed) => (observed.sight.kind === 'seen' ? undefined : waitForPut(observed)),
    },
    {
      reason: 'ended-but-running',
      message: 'The pod has ended and its containers run on',
      judge: (observed, pod) => {
        if (runsOn(observed, pod) !== 'running') return undefined;
        if (wasSent(observed, 'stop')) return wait(inMs(timing.deleteConfirmMs));
        return stopGroup(observed, keepLog(observed, pod));
      },
    },
    {
      reason: 'ended-but-starting',
      message: 'The pod has ended and its group is only being made',
      judge: (observed, pod) =>
        runsOn(observed, pod) === 'provisioning' ? deleteGroup(observed, keepLog(observed, pod)) : undefined,
    },
    {
      reason: 'ended-and-needed',
      message: "The pod has ended, and its group's quota is needed: the group goes, once its log is kept",
      judge: (observed, pod) =>
        observed.row.freeing && observed.sight.kind === 'seen'
          ? deleteGroup(observed, keepLogSurely(observed, pod))
          : undefined,
    },
    {
      reason: 'ended',
      message: 'The end is in the status and nothing runs; the group stays for its logs',
      judge: (observed) => wait(idle, { settled: true, fault: undefined, ...foundOut(observed) }),
    },
  ],
);

/** The rows may have been lost since, and somebody else may have deleted the group. */
function foundOut({ sight, row, at }: Observed): Plan['row'] {
  const { intent, freeing } = row;
  const seen = sight.kind === 'seen' && intent.kind === 'none' ? ({ kind: 'accepted', at } as const) : undefined;
  const gone = sight.kind === 'absent' && freeing ? ({ kind: 'deleted', at } as const) : undefined;
  const found = seen ?? gone;
  return { ...pastOf(row), ...defined({ intent: found }), ...(freeing ? { freeing: false } : {}) };
}

/** The end that made the pod terminal may come before ARM's word for the group; to end it once more would erase its logs. */
function runsOn({ sight }: Observed, pod: Pod): 'running' | 'provisioning' | undefined {
  if (sight.kind !== 'seen' || showsEnd(sight.group, pod)) return undefined;
  const condition = groupCondition(sight.group);
  return condition === 'running' || condition === 'provisioning' ? condition : undefined;
}

const endedAndDeletedRules = forPods(
  (pod) => isTerminal(pod) && isDeleting(pod),
  [
    {
      reason: 'log-may-be-followed',
      message: 'The pod was drained and has ended; who follows its log reads the end of it before its group goes',
      judge: (observed) => {
        const leftMs = followedForMs(observed);
        return observed.sight.kind === 'seen' && leftMs > 0 ? wait(inMs(leftMs)) : undefined;
      },
    },
    {
      reason: 'delete-ended',
      message: 'The pod has ended and is deleted, so its group goes',
      judge: (observed) => (observed.sight.kind === 'seen' ? deleteGroup(observed, []) : undefined),
    },
    {
      reason: 'put-may-be-in-flight',
      message: 'The pod is deleted, and a PUT for it may still land',
      judge: waitForPut,
    },
    {
      reason: 'release-pod',
      message: 'Nothing of the pod is left but its object',
      judge: ({ row }) => ({ ...releasePod, row: { ...pastOf(row), ...releasePod.row } }),
    },
  ],
);

/** The time of the tables has whole seconds. */
const clockSlackMs = 1_500;

/** Counted from the last end that was reported; a clock of a container that is far ahead holds nothing up. */
function followedForMs({ row: { agent }, now }: Observed): number {
  if (agent?.drain === undefined) return 0;
  const ends = Object.values(agent.containers).map(({ state }) => state.ended?.finishedAt ?? 0);
  const leftMs = Math.max(0, ...ends) + timing.logFollowMs - now;
  return leftMs <= timing.logFollowMs + clockSlackMs ? leftMs : 0;
}

/**
 * The last DELETE, with grace 0. A finalizer may keep the object: the DELETED event, or the resync, forgets the row, and
 * the DELETE is repeated ever more rarely.
 */
export const releasePod: Plan = { effects: [{ kind: 'delete-pod' }], row: { settled: true }, next: backoff };

export const terminalPodRules = [...endedRules, ...endedAndDeletedRules];
