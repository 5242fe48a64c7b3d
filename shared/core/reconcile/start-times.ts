/** How long groups took from their PUT to the start of their first container, ms, the newest last. */
export type StartTimes = readonly number[];

const mostKept = 32;
const fewestTimes = 8;

/** With one more start; what no clock can mean is left out. */
export const noteStart = (times: StartTimes, ms: number): StartTimes =>
  Number.isFinite(ms) && ms >= 0 ? [...times, ms].slice(-mostKept) : times;

/**
 * Before this time hardly any group has started, ms after its PUT: nine of ten lately took longer. Undefined while too few
 * have started to say.
 */
export function earliestStartMs(times: StartTimes): number | undefined {
  if (times.length < fewestTimes) return undefined;
  return times.toSorted((left, right) => left - right)[Math.floor(times.length / 10)];
}
