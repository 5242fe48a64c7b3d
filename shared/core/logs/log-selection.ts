import { completeLines, instantKey, limitToBytes, parseLines } from './log-line.ts';
import type { LogLine } from './log-line.ts';
import type { LogOptions } from './log-query.ts';

/**
 * What `kubectl logs` is to see of ACI's content (with instants): first the tail, then `since`, then the instants taken
 * away unless wanted, then the bytes counted. With `follow`, an unfinished last line is left to the follower. `now` in ms.
 */
export function selectLogs(content: string, options: Partial<LogOptions>, now: number): string {
  const lines = parseLines(options.follow === true ? completeLines(content) : content);
  const tail = options.tailLines === undefined ? lines : lines.slice(Math.max(0, lines.length - options.tailLines));
  const since =
    options.sinceTimeMs ?? (options.sinceSeconds === undefined ? undefined : now - options.sinceSeconds * 1000);
  const wanted = since === undefined ? tail : linesSince(tail, instantKey(since));
  const text = wanted.map(({ raw, text }) => (options.timestamps === true ? raw : text)).join('');
  return options.limitBytes === undefined ? text : limitToBytes(text, options.limitBytes);
}

/** A line without an instant belongs to the one before it. */
function linesSince(lines: readonly LogLine[], since: string): readonly LogLine[] {
  let isWanted = false;
  return lines.filter(({ instant }) => {
    isWanted = instant === undefined ? isWanted : instant >= since;
    return isWanted;
  });
}
