import { sizeOf } from './kept-log.ts';
import { parseLines } from './log-line.ts';

/** What ACI shows of a container that has ended, 16 KB or 1,000 lines; a cut falls where a line begins. */
const longest = { lines: 1_000, bytes: 16_384 } as const;
const longestLine = 1_384;

/**
 * Whether the log of an ended container is as long as ACI shows one, so that its beginning is probably cut. ACI does not say
 * whether it counts the instants of the lines.
 */
export function mayBeCut(content: string): boolean {
  const lines = parseLines(content);
  if (lines.length === longest.lines) return true;
  const bare = sizeOf(lines.map(({ text }) => text).join(''));
  return [sizeOf(content), bare].some((bytes) => bytes > longest.bytes - longestLine && bytes <= longest.bytes);
}
