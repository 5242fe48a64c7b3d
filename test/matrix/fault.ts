/** Where in one call something happens to its process. `inside`: the request was sent, and arrives only when the freeze is over. */
export type Moment = 'before' | 'inside' | 'after';

/** One thing that befalls one process: at its n-th outside call, counted from 0. */
export interface Fault {
  readonly kind: 'kill' | 'freeze';
  readonly call: number;
  readonly moment: Moment;
}

/** How long a frozen process stands still. */
export const freezeMs = 90_000;

/** What befalls the two processes of one life; `kill` the first, `freeze` the second. */
export interface Faults {
  readonly kill?: Fault;
  readonly freeze?: Fault;
  /** The first process only begins when the freeze is over: nobody did the frozen one's work meanwhile. */
  readonly isAlone?: boolean;
}

export const describeFaults = ({ kill, freeze, isAlone }: Faults): string =>
  [kill, freeze]
    .flatMap((fault) => (fault === undefined ? [] : [`--${fault.kind} ${fault.call}:${fault.moment}`]))
    .concat(isAlone === true ? ['--alone'] : [])
    .join(' ');

/** `12` (after) or `30:before`. */
export function parseFault(kind: Fault['kind'], text: string): Fault | undefined {
  const [, call, moment = 'after'] = /^(\d+)(?::(before|inside|after))?$/.exec(text) ?? [];
  if (call === undefined || (kind === 'kill' && moment === 'inside')) return undefined;
  return { kind, call: Number(call), moment: moment as Moment };
}
