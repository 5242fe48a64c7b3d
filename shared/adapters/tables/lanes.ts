/** Requests under way at once in one lane: a slow one must not hold up everybody. */
const mostUnderWay = 2;

interface Lane<T> {
  underWay: number;
  readonly waiting: T[];
}

/**
 * Lanes, one for each partition, in which what comes while two requests are under way goes together when one of them
 * ends. Nobody waits for company. `takeTogether` removes from those who wait, in their order, as many as one request
 * takes, at least one; `send` answers each of them, and does not fail.
 */
export function createLanes<T>(
  takeTogether: (waiting: T[]) => readonly T[],
  send: (partition: string, together: readonly T[]) => Promise<void>,
): (partition: string, one: T) => void {
  const lanes = new Map<string, Lane<T>>();
  const pump = (partition: string, lane: Lane<T>): void => {
    while (lane.underWay < mostUnderWay && lane.waiting.length > 0) {
      lane.underWay += 1;
      void send(partition, takeTogether(lane.waiting)).finally(() => {
        lane.underWay -= 1;
        pump(partition, lane);
      });
    }
    if (lane.underWay === 0) lanes.delete(partition);
  };
  return (partition, one) => {
    const lane = lanes.get(partition) ?? { underWay: 0, waiting: [] };
    lanes.set(partition, lane);
    lane.waiting.push(one);
    pump(partition, lane);
  };
}
