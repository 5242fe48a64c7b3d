import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * The time that a cloud lives in. In slow motion every clock of every process runs so many times slower: what the
 * processor does then takes so much less of the time that is measured, as on a machine so many times as fast.
 */
export interface WorldTime {
  readonly slowness: number;
  /** ms since the epoch, as the processes of the cloud have it. */
  now(): number;
  /** The cloud's time of a moment that a process outside of it has noted. */
  of(realMs: number): number;
  pause(ms: number): Promise<void>;
  /** Asks every so often until it is so; false when the time is over. All in the cloud's own time. */
  waitUntil(
    isSo: () => boolean | Promise<boolean>,
    wait: { readonly withinMs: number; readonly everyMs?: number },
  ): Promise<boolean>;
  /** For the environment of every process. */
  readonly env: Readonly<Record<string, string>>;
}

const preload = pathToFileURL(join(import.meta.dirname, 'slow-motion.mjs')).href;

export function createWorldTime(slowness = 1): WorldTime {
  const epochMs = Date.now();
  const of = (realMs: number): number => epochMs + (realMs - epochMs) / slowness;
  const now = (): number => of(Date.now());
  const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms * slowness));
  return {
    slowness,
    now,
    of,
    pause,
    waitUntil: async (isSo, { withinMs, everyMs = 250 }) => {
      const endMs = now() + withinMs;
      while (now() < endMs) {
        if (await isSo()) return true;
        await pause(everyMs);
      }
      return isSo();
    },
    env:
      slowness === 1
        ? {}
        : { BENCH_SLOWNESS: String(slowness), BENCH_EPOCH: String(epochMs), NODE_OPTIONS: `--import=${preload}` },
  };
}
