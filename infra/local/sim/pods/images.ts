import type { Behaviours } from '../container-runs.ts';

/** What the images of simulated pods do: a name and its exit code, or what becomes of it. */
export const images = {
  /** Until it is ended, and says so. */
  serves: { log: '2026-11-23T12:00:05Z hello\n' },
  'quick-0': { runMs: 3_000, exitCode: 0 },
  'runs-0': { runMs: 12_000, exitCode: 0 },
  'runs-3': { runMs: 12_000, exitCode: 3 },
  'exits-0': { runMs: 20_000, exitCode: 0 },
  'exits-3': { runMs: 20_000, exitCode: 3 },
  'slow-0': { runMs: 90_000, exitCode: 0 },
  'slow-7': { runMs: 150_000, exitCode: 7 },
  'crashes-once': { runs: [{ runMs: 4_000, exitCode: 2 }, {}] },
  'third-time-0': { runs: [{ runMs: 3_000, exitCode: 1 }, { runMs: 3_000, exitCode: 2 }, { runMs: 4_000 }] },
  /** For init containers. */
  prepares: { runMs: 8_000 },
  'prepares-badly': { runMs: 8_000, exitCode: 4 },
  'prepares-twice': { runs: [{ runMs: 3_000, exitCode: 5 }, { runMs: 3_000 }] },
} as const satisfies Behaviours;

export type Image = keyof typeof images;
