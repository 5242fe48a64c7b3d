import type { Log, LogFields } from '../ports/log.ts';

/** The part of an `InvocationContext` that a log needs. */
export interface InvocationLogger {
  info(...args: unknown[]): void;
  warn(...args: unknown[]): void;
}

/** One line of JSON a message: Application Insights parses it, and so can `jq`. */
export function invocationLog(context: InvocationLogger): Log {
  const line = (message: string, fields: LogFields | undefined): string => JSON.stringify({ message, ...fields });
  return {
    info: (message, fields) => context.info(line(message, fields)),
    warn: (message, fields) => context.warn(line(message, fields)),
  };
}
