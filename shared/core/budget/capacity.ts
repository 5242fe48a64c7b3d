import { backoffMs } from '../backoff/backoff.ts';

/**
 * What is known of one size of groups that ARM had no room for. Undefined instead of a state: nothing is known against
 * it, and everybody may ask. Capacity is asked for by one pod, not by each: a refused PUT costs one of the few creates
 * that ACI grants an hour. Pure; times in ms, Table service's.
 */
export interface CapacityState {
  /** ARM's own sentence, for the pods that wait. */
  readonly message: string;
  /** `group`: ARM took the PUT, and the group could not be provisioned; then only a group that has come up shows room. */
  readonly seenAt: 'put' | 'group';
  /** Refusals in a row: the exponent of the back-off. */
  readonly attempt: number;
  /** Nobody asks before. */
  readonly askAt: number;
  /** How many may ask at once: doubled by each that was taken. */
  readonly width: number;
  /** Who asks, and until when its question keeps others from asking. */
  readonly asking: readonly { readonly uid: string; readonly until: number }[];
}

export type CapacityEvent =
  /** A pod wants to ask. */
  | { readonly kind: 'ask'; readonly uid: string }
  | {
      readonly kind: 'refused';
      readonly uid: string;
      readonly seenAt: CapacityState['seenAt'];
      readonly message: string;
      readonly random: number;
    }
  /** The question is over, and the answer said nothing of room: a name that is taken, an image that nobody has. */
  | { readonly kind: 'released'; readonly uid: string }
  /** ARM took the PUT. */
  | { readonly kind: 'taken'; readonly uid: string }
  /** The group has come up. */
  | { readonly kind: 'came-up'; readonly uid: string }
  /** A group of ours is gone, and what it took is free. */
  | { readonly kind: 'freed' };

/** Between two questions: a slot that somebody else frees is found within a minute. */
const askPolicy = { baseMs: 5_000, maxMs: 60_000 } as const;
/** A question whose asker died keeps the others waiting for so long. */
const questionMs = 60_000;
/** So long after the last question, or the last success, what ARM said is no longer true of now. */
const forgottenMs = 600_000;
/** With so many at once taken, nothing is held back any more. */
const openWidth = 32;

/**
 * Size classes of groups: what ARM says of one says nothing of a smaller one. A group of up to 1, 2, 4, 8, 16 or more
 * cores; zones, Spot and confidential groups have room of their own.
 */
export function capacityClass({ cpu, zone, kind }: GroupSize): string {
  const size = [1, 2, 4, 8, 16].find((cores) => cpu <= cores) ?? 31;
  return `${zone ?? 'any'}-${size}${kind === undefined ? '' : `-${kind}`}`;
}

export interface GroupSize {
  readonly cpu: number;
  readonly zone: string | undefined;
  /** Absent: an ordinary one. */
  readonly kind?: 'spot' | 'confidential' | undefined;
}

/** Whether this pod may PUT now; else what is left to wait. */
export function mayAsk(
  state: CapacityState | undefined,
  { uid, now }: { readonly uid: string; readonly now: number },
): { readonly kind: 'open' | 'ask' } | { readonly kind: 'wait'; readonly message: string } {
  if (state === undefined || isForgotten(state, now)) return { kind: 'open' };
  if (now < state.askAt) return { kind: 'wait', message: state.message };
  const others = state.asking.filter((one) => one.uid !== uid && one.until > now);
  return others.length < state.width ? { kind: 'ask' } : { kind: 'wait', message: state.message };
}

/** The state after an event; undefined when nothing is known against the size any more. An `ask` must have been allowed. */
export function afterCapacityEvent(
  known: CapacityState | undefined,
  event: CapacityEvent,
  now: number,
): CapacityState | undefined {
  const state = known !== undefined && isForgotten(known, now) ? undefined : known;
  if (event.kind === 'refused') return closed(state, event, now);
  if (state === undefined) return undefined;
  switch (event.kind) {
    case 'ask':
      return { ...state, asking: [...without(state, event.uid, now), { uid: event.uid, until: now + questionMs }] };
    case 'released':
      return { ...state, asking: without(state, event.uid, now) };
    case 'taken':
      return state.seenAt === 'put' ? widened(state, event.uid, now) : state;
    case 'came-up':
      return widened(state, event.uid, now);
    case 'freed':
      return { ...state, askAt: Math.min(state.askAt, now) };
  }
}

const isForgotten = ({ askAt }: CapacityState, now: number): boolean => now - askAt > forgottenMs;

function closed(
  state: CapacityState | undefined,
  { uid, seenAt, message, random }: Extract<CapacityEvent, { kind: 'refused' }>,
  now: number,
): CapacityState {
  // What others were reported meanwhile counts once: questions that were under way together are one refusal.
  const isKnown = state !== undefined && state.width === 1 && now < state.askAt;
  const attempt = state === undefined ? 0 : isKnown ? state.attempt : state.attempt + 1;
  const askAt = isKnown ? state.askAt : now + backoffMs(askPolicy, attempt, random);
  return { message, seenAt, attempt, askAt, width: 1, asking: state === undefined ? [] : without(state, uid, now) };
}

function widened(state: CapacityState, uid: string, now: number): CapacityState | undefined {
  const width = state.width * 2;
  return width >= openWidth ? undefined : { ...state, attempt: 0, askAt: now, width, asking: without(state, uid, now) };
}

const without = ({ asking }: CapacityState, uid: string, now: number): CapacityState['asking'] =>
  asking.filter((one) => one.uid !== uid && one.until > now);
