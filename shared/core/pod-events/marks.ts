import { createHash } from 'node:crypto';
import { fieldPath } from './pod-event.ts';
import type { PodEvent } from './pod-event.ts';

/** The API server drops an event an hour after its last writing; this leaves room for three writings that fail. */
export const repeatAfterMs = 15 * 60_000;

/** A pod that nothing wakes is worked on so often only to be reported again; half of that hour and some. */
export const repeatEventMs = 45 * 60_000;

/** Of so many wordings for one reason and container; what is new beyond them is reported in one event together. */
const mostAlike = 5;

/** A pod of many containers may have a few events for each. */
const mostRemembered = 32;

/** What is to be written. */
export interface EventWrite {
  /** `repeat`: the object should be there, and is changed. */
  readonly kind: 'create' | 'repeat';
  /** Names the object within its pod. */
  readonly key: string;
  readonly message: string;
  /** Absolute, so that writing the same repetition twice counts once. */
  readonly count: number;
  /** What the row remembers when it is written; undefined: nothing need be. */
  readonly mark: string | undefined;
}

interface Mark {
  readonly key: string;
  /** Of its last writing, ms; 0: not known, or of no interest. */
  readonly at: number;
  readonly count: number;
}

/** Whether the event is to be written now, given the marks in the pod's row of those that were. */
export function planWrite(event: PodEvent, reported: readonly string[], now: number): EventWrite | undefined {
  const marks = reported.map(parseMark);
  const { key, message } = keyed(event, marks);
  const known = marks.find((mark) => mark.key === key);
  switch (event.repetition) {
    case 'once':
      return known === undefined ? { kind: 'create', key, message, count: 1, mark: key } : undefined;
    case 'each-time':
      return eachTime({ key, message, count: event.count ?? 1 }, known, now);
    case 'while-it-lasts': {
      if (known !== undefined && now - known.at < repeatAfterMs) return undefined;
      const count = Math.max(event.count ?? 1, known === undefined ? 1 : known.count + 1);
      const kind = known === undefined ? 'create' : 'repeat';
      return { kind, key, message, count, mark: formatMark({ key, at: now, count }) };
    }
  }
}

type Counted = Pick<EventWrite, 'key' | 'message' | 'count'>;

/** The first time needs no mark: what was seen to happen is in the pod's status by then, and is not seen to happen again. */
function eachTime(counted: Counted, known: Mark | undefined, now: number): EventWrite | undefined {
  if (counted.count <= 1) return { kind: 'create', ...counted, mark: undefined };
  const isNew = known === undefined || (counted.count > known.count && now - known.at >= repeatAfterMs);
  return isNew
    ? { kind: 'repeat', ...counted, mark: formatMark({ key: counted.key, at: now, count: counted.count }) }
    : undefined;
}

/** The row's marks with one more, the newest last; the oldest go. */
export function remember(reported: readonly string[], mark: string): readonly string[] {
  const { key } = parseMark(mark);
  return [...reported.filter((text) => parseMark(text).key !== key), mark].slice(-mostRemembered);
}

/**
 * Two events of the same trouble have the same key, though an id, a time or a number in ARM's words differs from try to try.
 * Its first four digits are those of reason and container.
 */
function keyed(event: PodEvent, marks: readonly Mark[]): { readonly key: string; readonly message: string } {
  const { reason, message, container, repetition } = event;
  const family = digest(`${reason}\n${container === undefined ? '' : fieldPath(container)}`).slice(0, 4);
  const key = family + digest(repetition === 'while-it-lasts' ? unvarying(message) : message).slice(0, 8);
  if (repetition !== 'while-it-lasts' || marks.some((mark) => mark.key === key)) return { key, message };
  const alike = marks.filter((mark) => mark.key.startsWith(family)).length;
  return alike < mostAlike
    ? { key, message }
    : { key: `${family}00000000`, message: `(combined from similar events): ${message}` };
}

const varying =
  /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.\d]*(?:Z|[+-]\d\d:?\d\d)?|\b(?=[0-9a-f]*\d)[0-9a-f]{16,}\b|(?<![\w."'/:[-])\d[\d.,:]*(?:ms|s|m|h)?(?![\w"'/\]-])/gi;

/** Without what differs from try to try: ids, times, numbers that are alone. What is in quotes is a name, and stays. */
const unvarying = (message: string): string => message.replace(varying, '#');

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

/** `<key>` or `<key>.<seconds>.<count>`, both numbers to the base 36. Rows of older versions have only keys, of another making. */
function formatMark({ key, at, count }: Mark): string {
  return `${key}.${Math.floor(at / 1000).toString(36)}.${count.toString(36)}`;
}

function parseMark(text: string): Mark {
  const [key = '', seconds = '', count = ''] = text.split('.');
  return { key, at: number36(seconds) * 1000, count: Math.max(1, number36(count)) };
}

function number36(text: string): number {
  const value = Number.parseInt(text, 36);
  return Number.isFinite(value) ? value : 0;
}
