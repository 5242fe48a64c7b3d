import { tierAnnotations } from '../agent/tier-annotations.ts';
import { defined } from '../defined.ts';
import type { GroupObservation } from '../group/group.ts';
import type { Pod, PodStatus } from '../kubernetes/pod.ts';
import type { PodEvent } from '../pod-events/pod-event.ts';
import { statusToWrite } from '../status/status.ts';
import type { Decision, Effect, Next, Observed, Plan } from './observed.ts';

/** One judgement: undefined when it has nothing to say of what was observed. */
export interface Rule {
  /** A constant for the log. */
  readonly reason: string;
  /** What the rule found, as a sentence. */
  readonly message: string;
  readonly judge: (observed: Observed) => Plan | undefined;
}

/** A rule about a pod that is there. */
export interface PodRule {
  readonly reason: string;
  readonly message: string;
  readonly judge: (observed: Observed, pod: Pod) => Plan | undefined;
}

/** The rules speak of pods for which `holds`. */
export const forPods = (holds: (pod: Pod) => boolean, rules: readonly PodRule[]): readonly Rule[] =>
  rules.map(({ reason, message, judge }) => ({
    reason,
    message,
    judge: (observed) => {
      const { pod } = observed;
      return pod !== undefined && holds(pod) ? judge(observed, pod) : undefined;
    },
  }));

/** The first rule that has something to say decides. */
export function firstOf(rules: readonly Rule[], observed: Observed): Decision | undefined {
  for (const { reason, message, judge } of rules) {
    const plan = judge(observed);
    if (plan !== undefined) return { reason, message, ...plan };
  }
  return undefined;
}

export const idle: Next = { kind: 'idle' };
export const again: Next = { kind: 'again' };
export const backoff: Next = { kind: 'backoff' };
export const inMs = (ms: number): Next => ({ kind: 'in', ms });

/** The next poll stays where it was. */
export const asPlanned = (correcting: Observed['correcting'], now: number): Next =>
  correcting?.plannedAt === undefined ? idle : inMs(Math.max(0, correcting.plannedAt - now));

/** Nothing is done but to come back. */
export const wait = (next: Next, row: Plan['row'] = {}): Plan => ({ effects: [], row, next });

export const createEvent = (event: PodEvent): Effect => ({ kind: 'create-event', ...event });

/**
 * The status goes out only when it says something new. The annotations go with it, and never alone: an API server that drops
 * them would be asked again and again.
 */
export function patch(pod: Pod, status: PodStatus, group?: Pick<GroupObservation, 'tags'>): readonly Effect[] {
  const next = statusToWrite(pod, status);
  if (next === undefined) return [];
  const annotations = group && tierAnnotations(pod, group.tags);
  return [{ kind: 'patch-status', status: { ...next, ...defined({ annotations }) } }];
}
