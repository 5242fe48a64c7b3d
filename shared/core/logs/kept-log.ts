import { followCursor, linesAfter } from './log-cursor.ts';
import { completeLines, parseLines } from './log-line.ts';

/** What one container wrote, each line after its instant, as ACI shows it. */
export interface ContainerLog {
  readonly container: string;
  readonly text: string;
}

/** What all logs that are kept of one pod may take together, in bytes of UTF-8. */
export const keptBytes = 4_000_000;

/**
 * The newest part of each log, so that all fit into `bytes` together: a short one stays whole, and what it leaves of its
 * share is for the longer ones. Cut where a line begins; a line that is longer than its share is cut inside.
 */
export function fitLogs(logs: readonly ContainerLog[], bytes: number): readonly ContainerLog[] {
  const sizes = logs.map(({ text }) => sizeOf(text));
  const share = largestShare(sizes, bytes);
  return logs.map((log, index) => ((sizes[index] ?? 0) <= share ? log : { ...log, text: newest(log.text, share) }));
}

export const sizeOf = (text: string): number => new TextEncoder().encode(text).length;

/** The longest that each may be. */
function largestShare(sizes: readonly number[], bytes: number): number {
  let left = bytes;
  const ascending = sizes.toSorted((a, b) => a - b);
  for (const [index, size] of ascending.entries()) {
    const share = Math.floor(left / (ascending.length - index));
    if (size > share) return share;
    left -= size;
  }
  return bytes;
}

function newest(text: string, bytes: number): string {
  const encoded = new TextEncoder().encode(text);
  let start = encoded.length - bytes;
  // Not inside a character.
  while (start < encoded.length && ((encoded[start] ?? 0) & 0xc0) === 0x80) start += 1;
  const kept = new TextDecoder().decode(encoded.subarray(start));
  const line = encoded[start - 1] === newline ? 0 : kept.indexOf('\n') + 1;
  return line < kept.length ? kept.slice(line) : kept;
}

const newline = 10;

/** What was kept, and behind it what the container wrote afterwards, as far as ACI still shows it. */
export function joinLogs(kept: string, shown: string): string {
  const { text } = linesAfter(shown, followCursor(kept), { isFinal: true });
  return text === '' ? kept : completeLines(kept) + text;
}

/** Lines from the end, as ACI counts them. */
export function lastLines(text: string, count: number): string {
  const lines = parseLines(text);
  return lines
    .slice(Math.max(0, lines.length - count))
    .map(({ raw }) => raw)
    .join('');
}
