import { createHash } from 'node:crypto';
import { completeLines, parseLines } from './log-line.ts';

/**
 * Where a follower is in a stream of which each poll shows all that ACI keeps at that moment: a window whose front
 * moves on (4 MB while running, 16 KB or 1,000 lines afterwards). Small, however long the stream.
 */
export interface LogCursor {
  /** Of the last window up to the cursor: its length in UTF-16 units and its SHA-256, to know it again when nothing fell off. */
  readonly length: number;
  readonly digest: string;
  /** The end of what was shown, to find the place again in a window whose front moved on. */
  readonly tail: string;
  /** Of the newest line shown. */
  readonly instant: string | undefined;
}

const tailLength = 32_768;

/** Behind all complete lines of a window; `followCursor('')` is at the beginning. */
export const followCursor = (content: string): LogCursor => cursorAt(completeLines(content), undefined);

export interface NewLines {
  /** With instants; empty when there is nothing new. */
  readonly text: string;
  readonly cursor: LogCursor;
}

/**
 * What a new window shows behind the cursor: every line once, in order. A line without its newline waits for it, unless
 * `isFinal` says that the container has ended and no more will come. Lines that came and fell off between two polls are
 * lost; a window that is older than the cursor shows nothing; a restarted container's output is all new. Only where a
 * window's front moved on *and* all it shares with the last one is the same line over and over at one instant can't
 * the place be known: then none is shown twice.
 */
export function linesAfter(
  content: string,
  cursor: LogCursor,
  { isFinal = false }: { readonly isFinal?: boolean } = {},
): NewLines {
  const window = isFinal ? content : completeLines(content);
  if (window === '') return { text: '', cursor };
  const seen = seenLength(window, cursor);
  const text = seen === undefined ? newerLines(window, cursor) : window.slice(seen);
  return { text, cursor: text === '' ? cursor : cursorAt(window, cursor.instant) };
}

function cursorAt(window: string, before: string | undefined): LogCursor {
  const tail = window.slice(-tailLength);
  const newest = parseLines(tail).reduce<string | undefined>((max, { instant }) => later(max, instant), before);
  return { length: window.length, digest: digest(window), tail, instant: newest };
}

const later = (a: string | undefined, b: string | undefined): string | undefined =>
  a === undefined || (b !== undefined && b > a) ? b : a;

const digest = (text: string): string => createHash('sha256').update(text, 'utf16le').digest('base64');

/** How much of the window was shown already; undefined when it has nothing in common with what was shown. */
function seenLength(window: string, { length, digest: known, tail }: LogCursor): number | undefined {
  if (length === 0) return 0;
  if (window.length >= length && digest(window.slice(0, length)) === known) return length;
  const whole = window.lastIndexOf(tail);
  if (whole >= 0 && hasInstant(tail)) return whole + tail.length;
  const overlap = overlapLength(tail, window);
  return hasInstant(window.slice(0, overlap)) ? overlap : undefined;
}

/** A few characters in common are chance; a whole instant is not. */
const hasInstant = (text: string): boolean => parseLines(text).some(({ instant }) => instant !== undefined);

/** The longest end of `tail` that `window` begins with, by Knuth, Morris and Pratt's failure function: linear in the tail. */
function overlapLength(tail: string, window: string): number {
  const pattern = window.slice(0, tail.length);
  const failure = failures(pattern);
  let matched = 0;
  for (let index = 0; index < tail.length; index += 1) {
    const unit = tail.charCodeAt(index);
    while (matched > 0 && (matched === pattern.length || pattern.charCodeAt(matched) !== unit))
      matched = failure[matched - 1] ?? 0;
    if (pattern.charCodeAt(matched) === unit) matched += 1;
  }
  return matched;
}

function failures(pattern: string): Uint32Array {
  const table = new Uint32Array(pattern.length);
  let matched = 0;
  for (let index = 1; index < pattern.length; index += 1) {
    const unit = pattern.charCodeAt(index);
    while (matched > 0 && pattern.charCodeAt(matched) !== unit) matched = table[matched - 1] ?? 0;
    if (pattern.charCodeAt(matched) === unit) matched += 1;
    table[index] = matched;
  }
  return table;
}

/** Nothing in common: by their instants, and for those of the cursor's own instant by their text. */
function newerLines(window: string, { instant: newest, tail }: LogCursor): string {
  const shown = new Set(parseLines(tail).map(({ raw }) => raw));
  let isNew = false;
  return parseLines(window)
    .filter(({ raw, instant }) => {
      if (instant !== undefined)
        isNew = newest === undefined || instant > newest || (instant === newest && !shown.has(raw));
      return isNew;
    })
    .map(({ raw }) => raw)
    .join('');
}
