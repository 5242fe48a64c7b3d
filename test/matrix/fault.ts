import type { CallFault } from '../../infra/local/sim/processes/counted-process.ts';
import type { Moment } from '../../infra/local/sim/faults/vocabulary.ts';

/** Longer than the lock's term (40 s), shorter than a sweep (45 s): no invocation has ended meanwhile. */
export const shortFreezeMs = 42_000;
/** Longer than the lock's term, shorter than an intent is open (60 s). */
export const longFreezeMs = 55_000;
/** Shorter than any deadline: every invocation goes on with what it read before. */
export const blinkMs = 12_000;

/** What befalls the two processes of one life; `kill` the first, `freeze` the second. */
export interface Faults {
  readonly kill?: CallFault;
  readonly freeze?: CallFault;
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
export function parseFault(kind: CallFault['kind'], text: string): CallFault | undefined {
  const [, call, moment = 'after', seconds] = /^(\d+)(?::(before|inside|after))?(?::(\d+))?$/.exec(text) ?? [];
  if (call === undefined || (kind === 'kill' && seconds !== undefined)) return undefined;
  const forMs = seconds === undefined ? {} : { forMs: Number(seconds) * 1000 };
  return { kind, call: Number(call), moment: moment as Moment, ...forMs };
}
