/**
 * The Table service's time. A `Date` header has whole seconds and is old when it arrives, so each answer gives a lower
 * bound; the latest bound wins, until one is so much lower that the service's clock must have been set back.
 */
export interface ServiceClock {
  /** Takes note of an answer's `Date` header. Anything that is not a date is ignored. */
  observe(date: string | undefined): void;
  /** Milliseconds since the epoch; undefined before the first answer, or when the last is older than `maxAgeMs`. */
  read(): number | undefined;
}

const headerResolutionMs = 1000;
const latencyAllowanceMs = 4000;

/** `monotonicMs` is a clock that never goes back, such as `performance.now`. */
export function createServiceClock(monotonicMs: () => number, maxAgeMs: number): ServiceClock {
  let offsetMs: number | undefined;
  let observedAtMs = 0;
  return {
    observe: (date) => {
      const timeMs = date === undefined ? Number.NaN : Date.parse(date);
      if (Number.isNaN(timeMs)) return;
      observedAtMs = monotonicMs();
      const bound = timeMs - observedAtMs;
      const setBack = offsetMs !== undefined && bound < offsetMs - headerResolutionMs - latencyAllowanceMs;
      offsetMs = offsetMs === undefined || setBack ? bound : Math.max(offsetMs, bound);
    },
    read: () => {
      const nowMs = monotonicMs();
      return offsetMs === undefined || nowMs - observedAtMs > maxAgeMs ? undefined : Math.round(offsetMs + nowMs);
    },
  };
}
