import { isLivingPod, isTerminalPhase } from '../kubernetes/pod.ts';
import { absentPodRules } from './absent-pod.ts';
import { deletingPodRules } from './deleting-pod.ts';
import { endGroupRules } from './end-group.ts';
import { livingPodRules } from './living-pod.ts';
import { outcomeRules } from './outcome.ts';
import { isOnlyReported } from './put-group.ts';
import { firstOf, inMs, wait } from './rule.ts';
import type { Rule } from './rule.ts';
import { terminalPodRules } from './terminal-pod.ts';
import { timing } from './timing.ts';
import { usageOfPoll } from '../usage/usage.ts';
import type { Decision, Observed } from './observed.ts';
import type { PodRow } from './pod-row.ts';

/** In this order: the first that has something to say decides. */
export const rules: readonly Rule[] = [
  ...outcomeRules,
  ...endGroupRules,
  ...absentPodRules,
  ...terminalPodRules,
  ...deletingPodRules,
  ...livingPodRules,
];

/**
 * What to do about one pod now. Pure: the same observation gives the same decision, whichever event asked for it.
 */
export function decide(observed: Observed): Decision {
  const decision = firstOf(rules, observed) ?? undecided;
  return { ...decision, row: { ...usageSeen(observed), ...decision.row } };
}

const undecided: Decision = {
  reason: 'undecided',
  message: 'No rule speaks of what was observed; it is polled again',
  ...wait(inMs(timing.foreignMs)),
};

/** What the ledger will say of a group that was seen, whatever is decided; the next poll would report it again. */
function usageSeen({ sight, row, pod, now }: Observed): Pick<Partial<PodRow>, 'usage'> {
  if (sight.kind !== 'seen') return {};
  const usage = usageOfPoll(row.usage, pod, { group: sight.group, now });
  return usage === row.usage ? {} : { usage };
}

/**
 * Whether the decision needs a read of the group first. An ended pod costs none, one whose group we deleted ourselves
 * needs none to be forgotten, and one that can have no group as it is needs none to be reported so again.
 */
export function needsPoll(observed: Pick<Observed, 'pod' | 'row' | 'facts'>): boolean {
  const { pod, row } = observed;
  if (pod !== undefined && isLivingPod(pod) && isOnlyReported(observed, pod)) return false;
  if (row.intent.kind === 'deleted' && (pod === undefined || isTerminalPhase(pod.status.phase))) return false;
  const deleting = pod?.metadata.deletionTimestamp !== undefined;
  return pod === undefined || deleting || !(isTerminalPhase(pod.status.phase) && row.settled && !row.freeing);
}
