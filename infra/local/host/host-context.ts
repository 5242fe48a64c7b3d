import type { InvocationCounters } from './counters.ts';
import type { HostJson } from './host-json.ts';
import type { ListenerLock, LockTimes } from './listener-lock.ts';
import type { HostLogs } from './logs.ts';
import type { TimerFaults, TimerStatus } from './timer-schedule.ts';

/** Times and limits of a host, all in milliseconds unless said otherwise; every one may be set by the caller. */
export interface HostKnobs {
  /** HTTP instances that are always there. */
  httpInstances: number;
  /** HTTP instances at most, when all are busy. */
  maxHttpInstances: number;
  /** Invocations that one HTTP instance takes at once (16 is Flex's default for 2048 MB). */
  perInstanceConcurrency: number;
  /** Waited before a worker process is started: the cold start of an instance. */
  startUpDelayMs: number;
  /** From an instance's death to the start of the next one. A timer waits for its function's lock besides. */
  httpRecoveryMs: number;
  timerRecoveryMs: number;
  /** Of the timers' locks; undefined: what host.json says. */
  listenerLockPeriodMs: number | undefined;
  listenerLockPollMs: number | undefined;
  /** An added HTTP instance that had no work for so long is taken away. */
  scaleInAfterMs: number;
  /** Time that in-flight work has at a graceful stop or restart. */
  drainMs: number;
  /** The front end drops a request without an answer after this time. */
  idleCutMs: number;
  /** Bytes, unless the app's settings have `FUNCTIONS_REQUEST_BODY_SIZE_LIMIT`. */
  maxBodyBytes: number;
  /** An instance whose bodies need more ends as out of memory: idle, plus so many bytes for each byte of a body. */
  instanceMemoryMB: number;
  idleMemoryMB: number;
  memoryPerBodyByte: number;
}

export const DEFAULT_KNOBS: HostKnobs = {
  httpInstances: 2,
  maxHttpInstances: 8,
  perInstanceConcurrency: 16,
  startUpDelayMs: 300,
  httpRecoveryMs: 500,
  timerRecoveryMs: 500,
  listenerLockPeriodMs: undefined,
  listenerLockPollMs: undefined,
  scaleInAfterMs: 30_000,
  drainMs: 10_000,
  idleCutMs: 230_000,
  maxBodyBytes: 100 * 1024 * 1024,
  instanceMemoryMB: 512,
  idleMemoryMB: 270,
  memoryPerBodyByte: 12,
};

/** What all parts of one host share. */
export interface HostContext {
  appRoot: string;
  entry: string | undefined;
  hostJson: HostJson;
  knobs: HostKnobs;
  logs: HostLogs;
  counters: InvocationCounters;
  /** May be changed while the host runs. */
  timerFaults: TimerFaults;
  /** Stands for the status blobs of monitored timers: it outlives the workers. */
  timerStatus: Map<string, TimerStatus>;
  /** By function; they outlive the workers too. */
  listenerLocks: Map<string, ListenerLock>;
  lockTimes: LockTimes;
  /** Timers and HTTP in one process, as in Core Tools, instead of one for each. */
  isSingleProcess: boolean;
  /** The environment of the next worker that starts. */
  environment(): NodeJS.ProcessEnv;
}
