/** Requests under way at once in one lane: a slow one must not hold up everybody. */
const mostUnderWay = 2;
/** Who came so lately has company soon. */
const companyMs = 100;

/** How a lane waits for company. */
export interface Patience {
  /** So long a request may wait for others while there is company; nobody who is alone waits. */
  readonly lingerMs: number;
  /** A clock in ms that never goes back. */
  readonly monotonicMs: () => number;
}

/** For requests over a network: less than one of them takes, so that a burst asks far less often. */
export const burstPatience = (monotonicMs: () => number): Patience => ({ lingerMs: 6, monotonicMs });

interface Lane<T> {
  underWay: number;
  readonly waiting: T[];
  /** When somebody last came, monotonic. */
  lastAt: number;
  isLingering: boolean;
}

/**
 * Lanes, one for each partition, in which what comes while two requests are under way goes together when one of them
 * ends. Amid others, with `patience`, also what comes within a few milliseconds: a burst then costs a few requests
 * instead of some for each. `takeTogether` removes from those who wait, in their order, as many as one request takes, at
 * least one; `send` answers each of them, and does not fail.
 */
export function createLanes<T>(
  takeTogether: (waiting: T[]) => readonly T[],
  send: (partition: string, together: readonly T[]) => Promise<void>,
  patience?: Patience,
): (partition: string, one: T) => void {
  const lanes = new Map<string, Lane<T>>();
  const pump = (partition: string, lane: Lane<T>): void => {
    while (lane.underWay < mostUnderWay && lane.waiting.length > 0) {
      lane.underWay += 1;
      void send(partition, takeTogether(lane.waiting)).finally(() => {
        lane.underWay -= 1;
        if (!lane.isLingering) pump(partition, lane);
      });
    }
  };
  const linger = (partition: string, lane: Lane<T>, ms: number): void => {
    if (lane.isLingering) return;
    lane.isLingering = true;
    setTimeout(() => {
      lane.isLingering = false;
      pump(partition, lane);
    }, ms);
  };
  return (partition, one) => {
    const lane = lanes.get(partition) ?? { underWay: 0, waiting: [], lastAt: -Infinity, isLingering: false };
    lanes.set(partition, lane);
    lane.waiting.push(one);
    if (patience === undefined) return pump(partition, lane);
    const now = patience.monotonicMs();
    const hasCompany = now - lane.lastAt < companyMs;
    lane.lastAt = now;
    if (hasCompany) linger(partition, lane, patience.lingerMs);
    else pump(partition, lane);
  };
}
