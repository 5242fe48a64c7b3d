import { groupCondition } from '../status/status.ts';
import { timing } from './timing.ts';
import type { Decision, Observed } from './observed.ts';
import type { PodRow } from './pod-row.ts';

/** A second DELETE would cost one of the few that ARM grants an hour. */
export const groupIsGoing: Decision = {
  reason: 'group-is-going',
  effects: [],
  row: {},
  next: { kind: 'in', ms: timing.deleteConfirmMs },
};

/** The pod is gone from the API server: so must its group be, and then the row. */
export function decideAbsentPod(observed: Observed): Decision {
  switch (observed.sight.kind) {
    case 'seen':
      if (groupCondition(observed.sight.group) === 'deleting') return groupIsGoing;
      return {
        reason: 'orphan-group',
        effects: [{ kind: 'verify-cluster' }, { kind: 'delete-group' }],
        row: {},
        next: { kind: 'again' },
      };
    case 'foreign':
    case 'unread':
    case 'absent': {
      const waitMs = putWaitMs(observed.row, observed.now);
      if (waitMs > 0) return { reason: 'put-may-be-in-flight', effects: [], row: {}, next: { kind: 'in', ms: waitMs } };
      return { reason: 'nothing-left', effects: [{ kind: 'forget' }], row: {}, next: { kind: 'idle' } };
    }
  }
}

/**
 * How long a 404 does not yet say that there is no group: a PUT whose answer nobody knows may still land, and one that
 * was just accepted may not be shown yet.
 */
export function putWaitMs({ intent }: PodRow, now: number): number {
  if (intent.kind === 'open') return Math.max(0, intent.at + timing.openIntentMs - now);
  const fresh = intent.kind === 'accepted' && intent.replacing !== true;
  return fresh ? Math.max(0, intent.at + timing.absenceAfterAcceptMs - now) : 0;
}
