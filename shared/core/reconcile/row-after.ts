import { backoffMs } from '../backoff/backoff.ts';
import type { Pod } from '../kubernetes/pod.ts';
import type { Decision } from './observed.ts';
import type { PodRow } from './pod-row.ts';
import { retryPolicy } from './timing.ts';
import { podAsSeen } from './work-needed.ts';

/** The end of one term of work on a pod. */
export interface TermEnd {
  readonly decision: Pick<Decision, 'row' | 'next'>;
  /** As it was last read or written; undefined: it is gone. */
  readonly pod: Pod | undefined;
  /** Table service's time, ms. */
  readonly now: number;
  /** In [0, 1): spreads the back-off. */
  readonly random: number;
}

/** What a decision leaves in the row when its term ends: its own changes, when to come back, and what was acted on. */
export const rowAfter = (row: PodRow, end: TermEnd): Partial<PodRow> => ({
  ...end.decision.row,
  attempt: attemptAfter(row, end.decision),
  dueAt: dueAt(row, end),
  ...(end.pod === undefined ? {} : podAsSeen(end.pod)),
});

/**
 * Failures in a row. While the pod's last fault lasts, work that went well in between (the next group is accepted, and
 * polled) is neither a failure nor the end of them.
 */
function attemptAfter(row: PodRow, { next, row: changes }: TermEnd['decision']): number {
  if (next.kind === 'backoff') return row.attempt;
  const fault = 'fault' in changes ? changes.fault : row.fault;
  return fault === undefined ? 0 : row.attempt - 1;
}

function dueAt(row: PodRow, { decision: { next }, now, random }: TermEnd): number | undefined {
  switch (next.kind) {
    case 'again':
      return now;
    case 'in':
      return now + next.ms;
    case 'backoff':
      return now + backoffMs(retryPolicy, row.attempt, random);
    case 'idle':
    case 'leave':
      return undefined;
  }
}
