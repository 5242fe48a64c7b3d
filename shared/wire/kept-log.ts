import * as z from 'zod';
import { fitLogs, sizeOf } from '../core/logs/kept-log.ts';
import type { ContainerLog } from '../core/logs/kept-log.ts';
import { parseJson } from './json-text.ts';

const header = z.object({
  schemaVersion: z.literal(1),
  /** Characters as JavaScript counts them, so that the texts behind can be distinguished. */
  logs: z.array(z.object({ container: z.string().min(1), length: z.int().min(0) })),
});

const headerOf = (logs: readonly ContainerLog[]): string =>
  `${JSON.stringify({ schemaVersion: 1, logs: logs.map(({ container, text }) => ({ container, length: text.length })) })}\n`;

/** The logs that are kept of one pod as one text of at most `bytes` (UTF-8): a line of JSON that counts them, then they themselves. */
export function formatKeptLogs(logs: readonly ContainerLog[], bytes: number): string {
  const whole = logs.map(({ container, text }) => ({ container, text: text.toWellFormed() }));
  // Shorter texts have a header that is no longer.
  const fitting = fitLogs(whole, Math.max(0, bytes - sizeOf(headerOf(whole))));
  return headerOf(fitting) + fitting.map(({ text }) => text).join('');
}

/** The reverse; undefined when it is no such text. */
export function parseKeptLogs(text: string): readonly ContainerLog[] | undefined {
  const end = text.indexOf('\n') + 1;
  const parsed = header.safeParse(parseJson(text.slice(0, end)));
  if (!parsed.success) return undefined;
  let at = end;
  const logs = parsed.data.logs.map(({ container, length }) => {
    at += length;
    return { container, text: text.slice(at - length, at) };
  });
  return at === text.length ? logs : undefined;
}
