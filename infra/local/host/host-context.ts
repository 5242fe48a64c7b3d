import type { InvocationCounters } from './counters.ts';
import type { HostJson } from './host-json.ts';
import type { ListenerLock, LockTimes } from './listener-lock.ts';
import type { HostLogs } from './logs.ts';
import type { TimerFaults, TimerStatus } from './timer-schedule.ts';

/** Times and limits of a host, all in milliseconds unless said otherwise; every one may be set by the caller. */
export interface HostKnobs {
  /** HTTP instances that are always there. */
  readonly httpInstances: number;
  /** HTTP instances at most, when all are busy. */
  readonly maxHttpInstances: number;
  /** Invocations that one HTTP instance takes at once (16 is Flex's default for 2048 MB). */
  readonly perInstanceConcurrency: number;
  /** Waited before a worker process is started: the cold start of an instance. */
  readonly startUpDelayMs: number;
  /** From an instance's death to the start of the next one. A timer waits for its function's lock besides. */
  readonly httpRecoveryMs: number;
  readonly timerRecoveryMs: number;
  /** Of the timers' locks; undefined: what host.json says. */
  readonly listenerLockPeriodMs: number | undefined;
  readonly listenerLockPollMs: number | undefined;
  /** An added HTTP instance that had no work for so long is taken away. */
  readonly scaleInAfterMs: number;
  /** Time that in-flight work has at a graceful stop or restart. */
  readonly drainMs: number;
  /** The front end drops a request without an answer after this time. */
  readonly idleCutMs: number;
  /** Bytes, unless the app's settings have `FUNCTIONS_REQUEST_BODY_SIZE_LIMIT`. */
  readonly maxBodyBytes: number;
  /** An instance whose bodies need more ends as out of memory: idle, plus so many bytes for each byte of a body. */
  readonly instanceMemoryMB: number;
  readonly idleMemoryMB: number;
  readonly memoryPerBodyByte: number;
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
  readonly appRoot: string;
  readonly entry: string | undefined;
  readonly hostJson: HostJson;
  readonly knobs: HostKnobs;
  readonly logs: HostLogs;
  readonly counters: InvocationCounters;
  /** May be changed while the host runs. */
  timerFaults: TimerFaults;
  /** Stands in for the status blobs of monitored timers: it outlives the workers. */
  readonly timerStatus: Map<string, TimerStatus>;
  /** By function; they outlive the workers too. */
  readonly listenerLocks: Map<string, ListenerLock>;
  readonly lockTimes: LockTimes;
  /** Timers and HTTP in one process, as in Core Tools, instead of one for each. */
  readonly isSingleProcess: boolean;
  /** The environment of the next worker that starts. */
  environment(): NodeJS.ProcessEnv;
}
