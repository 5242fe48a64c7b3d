import type { GroupCondition } from '../status/group-condition.ts';
import { groupCondition } from '../status/status.ts';
import type { GroupObservation } from '../group/group.ts';
import { isLivingPod } from '../kubernetes/pod.ts';
import type { Pod } from '../kubernetes/pod.ts';
import { again, inMs, wait } from './rule.ts';
import type { Rule } from './rule.ts';
import { timing } from './timing.ts';
import type { Effect, Observed, Plan } from './observed.ts';
import type { Intent } from './pod-row.ts';

/** What follows from a stop or DELETE that was sent, whatever pod it was for. */
export const endGroupRules: readonly Rule[] = [
  {
    reason: 'delete-confirmed',
    message: 'The group that we deleted is gone',
    judge: ({ sight, row, at }) => {
      const { intent, ending } = row;
      const isOurs = ending?.by === 'delete' || (intent.kind === 'accepted' && intent.replacing === true);
      if (sight.kind !== 'absent' || !isOurs) return undefined;
      const confirmed = { intent: { kind: 'deleted', at }, absentSince: undefined, ending: undefined } as const;
      const freed: Effect = { kind: 'note-capacity', event: { kind: 'freed' } };
      return { effects: [{ kind: 'note-row', row: confirmed }, freed], row: {}, next: again };
    },
  },
  {
    reason: 'group-is-going',
    message: 'The group is being deleted; a second DELETE would cost one of the few that ARM grants an hour',
    judge: (observed) => {
      const { sight } = observed;
      if (sight.kind !== 'seen') return undefined;
      const isGoing = groupCondition(sight.group) === 'deleting' || wasSent(observed, 'delete');
      return isGoing ? wait(inMs(timing.deleteConfirmMs), adopted(observed)) : undefined;
    },
  },
];

/** A group that is there was accepted. Of a pod that is to go nothing of it is remembered: its absence is what is waited for. */
function adopted({ pod, row, now }: Observed): Plan['row'] {
  return isLiving(pod) ? { absentSince: undefined, intent: acceptedIntent(row.intent, now) } : {};
}

const isLiving = (pod: Pod | undefined): boolean => pod !== undefined && isLivingPod(pod);

/** The group, where it was seen in one of these conditions. */
export function groupThatIs(
  { sight }: Observed,
  ...conditions: readonly GroupCondition[]
): GroupObservation | undefined {
  return sight.kind === 'seen' && conditions.includes(groupCondition(sight.group)) ? sight.group : undefined;
}

export const acceptedIntent = (intent: Intent, now: number): Intent =>
  intent.kind === 'accepted' ? intent : { kind: 'accepted', at: intent.kind === 'none' ? now : intent.at };

/** ARM took it so lately that what it shows may be of before. */
export const wasSent = ({ row: { ending }, now }: Observed, by: 'stop' | 'delete'): boolean =>
  ending?.by === by && now < ending.at + timing.endRepeatMs;

/** Ends the containers, and polls; `before` is what must be somewhere before they are erased. */
export const stopGroup = ({ at }: Observed, before: readonly Effect[]): Plan => ({
  effects: [...before, { kind: 'stop-group' }],
  row: { ending: { by: 'stop', at } },
  next: again,
});

/**
 * Deletes the group, and polls. A pod that lives on gets a new one, which is written down first: after a crash its absence
 * must not look like a loss.
 */
export function deleteGroup({ pod, row, at }: Observed, before: readonly Effect[]): Plan {
  const { intent } = row;
  const since = intent.kind === 'none' ? at : intent.at;
  const mark: readonly Effect[] =
    isLiving(pod) && intent.kind !== 'deleted'
      ? [{ kind: 'save-row', row: { intent: { kind: 'accepted', at: since, replacing: true } } }]
      : [];
  return {
    effects: [...before, ...mark, { kind: 'delete-group' }],
    row: { ending: { by: 'delete', at } },
    next: again,
  };
}
