/** What both sides of the relay's protocol keep to. */

/**
 * The longest body that the Functions host gives to the app, by its setting `FUNCTIONS_REQUEST_BODY_SIZE_LIMIT`: it reads
 * bodies whole, and its own limit is 100 MB. To a longer one it answers by itself, 500.
 */
export const hostBodyBytes = 1_048_576;

/** The longest body of a request that the app takes, in bytes: less than the host's, so that who is a little over is reported (413). */
export const mostBodyBytes = 800_000;

/** The longest list of pods that a relay posts, in bytes: far below what the app takes. */
export const mostPostBytes = 262_144;

/** The most pods of one request that the app takes. */
export const mostPods = 5000;

/** The most pods that a relay posts at once. */
export const mostPostPods = 500;

/** The longest reason why a readiness probe failed, in characters. */
export const mostReadinessMessage = 256;

/** When the app wants the next tick, at the earliest and at the latest. Nothing due is the latest. */
export const soonestTickMs = 1_000;
export const latestTickMs = 30_000;

/** A look at a time from now on, in ms, within those bounds. */
export const clampTickMs = (inMs: number): number => Math.min(latestTickMs, Math.max(soonestTickMs, inMs));
