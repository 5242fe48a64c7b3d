import { summarize } from '../../../shared/core/usage/summary.ts';
import type { UsageFigures, UsageGrouping, UsageLine } from '../../../shared/core/usage/summary.ts';
import type { CollectedUsage } from './collect.ts';
import type { Prices } from '../inspect/prices.ts';
import type { Window } from './window.ts';

/**
 * What `cost --output json` prints, in the version of `outputSchemaVersion`. Times are
 * RFC 3339; seconds, cores, gigabytes and money are numbers, not rounded.
 */
export interface CostReport {
  readonly installation: string;
  readonly by: UsageGrouping;
  readonly from: string;
  /** The window ends just before. */
  readonly to: string;
  readonly prices: Prices;
  readonly lines: readonly UsageLine[];
  readonly total: UsageFigures;
  /** What runs now, and what a month of it would cost. */
  readonly running: RunningNow;
  readonly notIncluded: readonly string[];
}

export interface RunningNow {
  readonly pods: number;
  readonly cpu: number;
  readonly memoryInGB: number;
  readonly costPerMonth: number;
}

/** Azure counts a month as 730 hours. */
const monthSeconds = 730 * 3600;

export const notIncluded = [
  'the function app',
  'storage',
  'logs and metrics',
  'the network and its traffic',
  'the registry',
  'the cluster',
] as const;

export interface CostQuery extends Window {
  readonly installation: string;
  readonly by: UsageGrouping;
  readonly prices: Prices;
}

export function costReport({ records, running }: CollectedUsage, query: CostQuery): CostReport {
  const { installation, by, from, to, prices } = query;
  const { lines, total } = summarize(records, { by, from, to, prices });
  return {
    installation,
    by,
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    prices,
    lines,
    total,
    running: runningNow(running, prices),
    notIncluded,
  };
}

function runningNow(running: CollectedUsage['running'], prices: Prices): RunningNow {
  const cpu = sum(
    running.map((record) => record.cpu),
    100,
  );
  const memoryInGB = sum(
    running.map((record) => record.memoryInGB),
    10,
  );
  const costPerMonth = (cpu * prices.perCpuSecond + memoryInGB * prices.perGBSecond) * monthSeconds;
  return { pods: new Set(running.map(({ uid }) => uid)).size, cpu, memoryInGB, costPerMonth };
}

/** In ACI's steps (a hundredth of a core, a tenth of a gigabyte), so that 0.1 + 0.2 is 0.3. */
const sum = (values: readonly number[], steps: number): number =>
  values.reduce((total, value) => total + Math.round(value * steps), 0) / steps;
