import type { LogOptions } from '../runtime.ts';

/** A line of a container's log. `text` has no line end; `ended` is false for a last line without one. */
export interface LogLine {
  /** RFC3339Nano, UTC. */
  readonly timestamp: string;
  readonly text: string;
  readonly ended: boolean;
}

const entryPattern = /^(\S+) (stdout|stderr) ([FP]) ?(.*)$/su;

/**
 * Reads a log file in the format of the Container Runtime Interface (`<instant> <stream> <F|P> <text>`), which conmon
 * writes: pieces marked P belong to the line that a later piece of the same stream ends. A line is dated by its first
 * piece. Lines that do not have the form are skipped: the file may begin in the middle of one.
 */
export function parseLogFile(content: string): LogLine[] {
  const lines: LogLine[] = [];
  const open = new Map<string, { timestamp: string; text: string }>();
  for (const entry of content.split('\n')) {
    const match = entryPattern.exec(entry);
    if (match === null) continue;
    const [, instant = '', stream = '', mark = '', text = ''] = match;
    const begun = open.get(stream);
    const line = { timestamp: begun?.timestamp ?? toUtc(instant), text: (begun?.text ?? '') + text };
    if (mark === 'P') open.set(stream, line);
    else {
      open.delete(stream);
      lines.push({ ...line, ended: true });
    }
  }
  for (const line of open.values()) lines.push({ ...line, ended: false });
  return lines;
}

/** Reads the text of the `logs` endpoint with `timestamps=1`: each line begins with its instant and a blank. */
export function parseLogStream(text: string): LogLine[] {
  const parts = text.split('\n');
  const last = parts.pop() ?? '';
  const lines = parts.map((part) => dated(part, true));
  return last === '' ? lines : [...lines, dated(last, false)];
}

function dated(line: string, ended: boolean): LogLine {
  const blank = line.indexOf(' ');
  if (blank < 0) return { timestamp: toUtc(line), text: '', ended };
  return { timestamp: toUtc(line.slice(0, blank)), text: line.slice(blank + 1), ended };
}

/** Instants come with the offset of the engine's time zone; logs are in UTC. The fraction is kept as it is. */
function toUtc(instant: string): string {
  const match = /^(.*?)(\.\d+)?(Z|[+-]\d\d:\d\d)$/u.exec(instant);
  if (match === null) return instant;
  const [, seconds = '', fraction = '', offset = ''] = match;
  const parsed = Date.parse(`${seconds}${offset}`);
  if (Number.isNaN(parsed)) return instant;
  return `${new Date(parsed).toISOString().slice(0, 19)}${fraction}Z`;
}

/** Renders lines as `readLogs` promises: the last `tail` ones, dated on demand; a last line without an end stays so. */
export function renderLog(lines: readonly LogLine[], options: LogOptions): string {
  const kept = options.tail === undefined ? lines : lines.slice(Math.max(0, lines.length - options.tail));
  return kept
    .map((line) => `${options.timestamps ? `${line.timestamp} ` : ''}${line.text}${line.ended ? '\n' : ''}`)
    .join('');
}
