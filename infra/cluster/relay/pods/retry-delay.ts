const baseMs = 500;
const maxMs = 30_000;

/** Decorrelated jitter: between the base and three times the last delay, capped. `random` in [0, 1). */
export const retryDelayMs = (lastMs: number | undefined, random: number): number =>
  Math.min(maxMs, Math.round(baseMs + random * (3 * (lastMs ?? baseMs) - baseMs)));
