import { AsyncLocalStorage } from 'node:async_hooks';
import type { Log } from '../ports/log.ts';

const current = new AsyncLocalStorage<Log>();

/**
 * The log of whichever invocation is running: what is built once per process (adapters) writes to the invocation that
 * uses it. Outside of any, nothing is written.
 */
export const currentLog: Log = {
  info: (message, fields) => current.getStore()?.info(message, fields),
  warn: (message, fields) => current.getStore()?.warn(message, fields),
};

export const withLog = <T>(log: Log, run: () => Promise<T>): Promise<T> => current.run(log, run);
