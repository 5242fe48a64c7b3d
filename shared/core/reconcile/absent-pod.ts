import { timing } from './timing.ts';
import type { Decision, Observed } from './observed.ts';
import type { PodRow } from './pod-row.ts';

/** The pod is gone from the API server: so must its group be, and then the row. */
export function decideAbsentPod(observed: Observed): Decision {
  switch (observed.sight.kind) {
    case 'seen':
      return {
        reason: 'orphan-group',
        effects: [{ kind: 'verify-cluster' }, { kind: 'delete-group' }],
        row: {},
        next: { kind: 'again' },
      };
    case 'foreign':
    case 'unread':
    case 'absent': {
      const waitMs = openIntentWaitMs(observed.row, observed.now);
      if (waitMs > 0) return { reason: 'put-may-be-in-flight', effects: [], row: {}, next: { kind: 'in', ms: waitMs } };
      return { reason: 'nothing-left', effects: [{ kind: 'forget' }], row: {}, next: { kind: 'idle' } };
    }
  }
}

/** How long until a PUT whose answer nobody knows can no longer land. */
export function openIntentWaitMs(row: PodRow, now: number): number {
  return row.intent.kind === 'open' ? Math.max(0, row.intent.at + timing.openIntentMs - now) : 0;
}
