import type { Clock } from '../../../../shared/ports/clock.ts';
import type { Scheduler } from './scheduler.ts';

export interface ProcessClockOptions {
  /** How far the process's own time is off; not at all unless given. */
  readonly skewMs?: number;
  /** What its monotonic clock shows at first; the virtual time unless given. */
  readonly monotonicStart?: number;
  /** Its pauses; too short to count unless given. */
  readonly sleep?: Clock['sleep'];
}

/** Virtual time as one process knows it from its start on. */
export function createProcessClock(
  scheduler: Scheduler,
  { skewMs = 0, monotonicStart = scheduler.now, sleep = () => Promise.resolve() }: ProcessClockOptions = {},
): Clock {
  const bornAt = scheduler.now;
  return {
    wallMs: () => scheduler.now + skewMs,
    monotonicMs: () => monotonicStart + scheduler.now - bornAt,
    timeout: (ms) => scheduler.timeout(ms),
    sleep,
  };
}
