import type { Part } from './observed.ts';
import { good, skipped, warned } from './check.ts';
import type { Check } from './check.ts';

/** How far a server's clock is ahead of this machine's, in seconds; negative: behind. */
export interface ClockFacts {
  /** `ARM`, `tables`, `cluster prod`. */
  readonly whose: string;
  readonly aheadSeconds: Part<number>;
}

/** More than this and tokens, Leases and poll times stop fitting each other. */
const toleratedSeconds = 30;

/** Whether all clocks agree. When all servers agree with each other, it is this machine that is wrong. */
export function judgeClocks(clocks: readonly ClockFacts[]): Check {
  const name = 'clocks';
  const known = clocks.flatMap(({ whose, aheadSeconds }) =>
    aheadSeconds.kind === 'read' ? [{ whose, ahead: aheadSeconds.value }] : [],
  );
  if (known.length === 0) return skipped(name, 'No server reported its time.');
  const values = known.map(({ ahead }) => ahead);
  const spread = Math.max(...values) - Math.min(...values);
  const worst = Math.max(...values.map(Math.abs));
  const reported = known.map(({ whose, ahead }) => `${whose} ${signed(ahead)}`).join(', ');
  if (spread > toleratedSeconds)
    return warned(
      name,
      `The servers' clocks differ (seconds ahead of this machine's): ${reported}.`,
      "Fix the clock that is apart: an API server's makes nodes look dead, ARM's and the tables' are Microsoft's.",
    );
  if (worst > toleratedSeconds)
    return warned(
      name,
      `This machine's clock is off (servers ahead by seconds): ${reported}.`,
      'Set it by NTP: logins fail with a wrong clock; the app itself is not concerned.',
    );
  return good(name, `They agree within ${String(Math.ceil(Math.max(spread, worst)))} s: ${reported}.`);
}

const signed = (seconds: number): string => `${seconds < 0 ? '' : '+'}${String(Math.round(seconds))}`;
