import { decide } from '../../../shared/core/reconcile/decide.ts';
import type {
  Decision,
  Effect,
  GroupSight,
  Observed,
  ReconcilePolicy,
} from '../../../shared/core/reconcile/observed.ts';
import type { GroupObservation } from '../../../shared/core/group/group.ts';
import type { Pod } from '../../../shared/core/kubernetes/pod.ts';
import type { PodRow } from '../../../shared/core/reconcile/pod-row.ts';
import { at, mainRuns, makePod, makeRow, noon } from '../../fixtures/pods.ts';
import { facts, resolved } from '../pod/fixtures.ts';

const policy: ReconcilePolicy = {
  bornAt: noon - 3_600_000,
  nodeState: 'active',
  endingPods: 0,
  earliestStartMs: undefined,
  capacityFailAfterMs: 0,
  random: 0.5,
};

export const accepted: Partial<PodRow> = { intent: { kind: 'accepted', at: noon } };
export const seen = (group: GroupObservation): GroupSight => ({ kind: 'seen', group });
export const absent: GroupSight = { kind: 'absent' };

export interface Story {
  readonly it: string;
  readonly pod?: Pod;
  readonly row?: Partial<PodRow>;
  readonly sight: GroupSight;
  readonly seconds?: number;
  readonly policy?: Partial<ReconcilePolicy>;
  /** Whatever else was observed. */
  readonly seen?: Partial<Observed>;
  /** `reason: effects → next`, and what of the row is worth reporting; the whole decision is in the golden file. */
  readonly says: string;
}

export function observedIn(story: Omit<Story, 'it' | 'says'>): Observed {
  const now = noon + (story.seconds ?? 10) * 1000;
  return {
    now,
    at: now + 200,
    pod: story.pod,
    row: makeRow(story.pod ?? makePod(), story.row),
    sight: story.sight,
    references: resolved(),
    capacity: undefined,
    clusterUid: undefined,
    outcome: undefined,
    statusConflicts: 0,
    lastPut: undefined,
    correcting: undefined,
    facts,
    policy: { ...policy, ...story.policy },
    ...story.seen,
  };
}

export function rendered(story: Story): string {
  const { reason, effects, next, row, fault } = decide(observedIn(story));
  const notes = [
    ...(row.settled === true ? ['settled'] : []),
    ...(row.ending === undefined ? [] : [row.ending.by === 'stop' ? 'stopping' : 'deleting']),
    ...(fault === undefined ? [] : [`after ${fault.kind}`]),
  ];
  return `${reason}: ${effects.map(renderedEffect).join(', ')} → ${[renderedNext(next), ...notes].join(', ')}`;
}

function renderedEffect(effect: Effect): string {
  switch (effect.kind) {
    case 'patch-status':
      return `${effect.kind}(${effect.status.phase})`;
    case 'create-event':
      return `${effect.kind}(${effect.reason})`;
    case 'save-row':
    case 'note-row':
      return `${effect.kind}(${effect.row.intent?.kind ?? Object.keys(effect.row).join(' ')})`;
    case 'put-group':
      return effect.isRetry ? `${effect.kind}(retry)` : effect.kind;
    default:
      return effect.kind;
  }
}

const renderedNext = (next: Decision['next']): string => (next.kind === 'in' ? `in ${next.ms / 1000} s` : next.kind);

export const deleting = { deletionTimestamp: at(30), deletionGracePeriodSeconds: 30 };
export const ranOnce = makePod({
  status: {
    phase: 'Running',
    startTime: at(0),
    containerStatuses: [mainRuns],
  },
});
export const always = makePod({ spec: { restartPolicy: 'Always' }, status: ranOnce.status });
