import { AsyncLocalStorage } from 'node:async_hooks';
import type { Log, LogFields } from '../ports/log.ts';
import { currentWork } from './current-work.ts';

const current = new AsyncLocalStorage<Log>();

/**
 * The log of whichever invocation is running: what is built once per process (adapters) writes to the invocation that
 * uses it, with the trace of the work that it is about. Outside of any, nothing is written.
 */
export const currentLog: Log = {
  info: (message, fields) => current.getStore()?.info(message, traced(fields)),
  warn: (message, fields) => current.getStore()?.warn(message, traced(fields)),
};

function traced(fields: LogFields | undefined): LogFields | undefined {
  const context = currentWork()?.span.context;
  return context === undefined ? fields : { ...fields, traceId: context.traceId, spanId: context.spanId };
}

export const withLog = <T>(log: Log, run: () => Promise<T>): Promise<T> => current.run(log, run);
