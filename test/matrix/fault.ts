import type { Moment, ProcessFault } from '../../infra/local/sim/faults/vocabulary.ts';

/**
 * One thing that befalls one process: at its n-th outside call, counted from 0. What was under way (`inside`) arrives when
 * the freeze is over, or a while after its sender was killed.
 */
export interface Fault extends ProcessFault {
  readonly call: number;
  /** Of a freeze; 90 s unless told. */
  readonly forMs?: number;
}

/** How long a frozen process stands still. */
export const freezeMs = 90_000;
/** Longer than the lock's term (40 s), shorter than a sweep (45 s): no invocation has ended meanwhile. */
export const shortFreezeMs = 42_000;
/** Longer than the lock's term, shorter than an intent is open (60 s). */
export const longFreezeMs = 55_000;
/** So long after the death of its sender a request arrives, and be it shown 12 s later: before an open intent is old. */
export const lateMs = 47_000;
/** Shorter than any deadline: every invocation goes on with what it read before. */
export const blinkMs = 12_000;

/** What befalls the two processes of one life; `kill` the first, `freeze` the second. */
export interface Faults {
  readonly kill?: Fault;
  readonly freeze?: Fault;
  /** The first process only begins when the freeze is over: nobody did the frozen one's work meanwhile. */
  readonly isAlone?: boolean;
}

export const describeFaults = ({ kill, freeze, isAlone }: Faults): string =>
  [kill, freeze]
    .flatMap((fault) =>
      fault === undefined
        ? []
        : [`--${fault.kind} ${fault.call}:${fault.moment}${fault.forMs === undefined ? '' : `:${fault.forMs / 1000}`}`],
    )
    .concat(isAlone === true ? ['--alone'] : [])
    .join(' ');

/** `12` (after), `30:before`, or `30:before:42`, frozen for 42 s. */
export function parseFault(kind: Fault['kind'], text: string): Fault | undefined {
  const [, call, moment = 'after', seconds] = /^(\d+)(?::(before|inside|after))?(?::(\d+))?$/.exec(text) ?? [];
  if (call === undefined || (kind === 'kill' && seconds !== undefined)) return undefined;
  const forMs = seconds === undefined ? {} : { forMs: Number(seconds) * 1000 };
  return { kind, call: Number(call), moment: moment as Moment, ...forMs };
}
