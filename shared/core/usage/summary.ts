import type { UsageOwner } from './pod-usage.ts';
import type { UsageRecord } from './usage.ts';

export type UsageGrouping = 'namespace' | 'owner' | 'day';

/** Of one second of a core and of a gigabyte. */
export interface UsagePrices {
  readonly currency: string;
  readonly perCpuSecond: number;
  readonly perGBSecond: number;
}

/** The public list price of Linux container groups in East US, pay-as-you-go. Other regions and contracts have others. */
export const defaultPrices: UsagePrices = { currency: 'USD', perCpuSecond: 0.0000135, perGBSecond: 0.0000015 };

export interface UsageFigures {
  /** How many pods it is of. */
  readonly pods: number;
  /** For how long their groups ran, added up. */
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly memoryGBSeconds: number;
  readonly cost: number;
}

export interface UsageLine extends UsageFigures {
  /** A namespace; `namespace/Kind/name` of the owner (of a CronJob's Jobs the CronJob), `namespace/Pod/name` where there is none; or a day as `2026-11-23`, UTC. */
  readonly key: string;
}

export interface UsageSummary {
  /** Days in their order; else the dearest first. */
  readonly lines: readonly UsageLine[];
  readonly total: UsageFigures;
}

export interface UsageQuery {
  readonly by: UsageGrouping;
  /** In ms: from `from`, to just before `to`. */
  readonly from: number;
  readonly to: number;
  readonly prices: UsagePrices;
}

const dayMs = 86_400_000;

/**
 * What pods used between two times, by namespace, owner or day. Records are cut at the window and, for days, at UTC
 * midnights, so that the sums are the same whatever they are grouped by, and those of two windows add up.
 */
export function summarize(records: readonly UsageRecord[], query: UsageQuery): UsageSummary {
  const total = new Sum();
  const sums = new Map<string, Sum>();
  for (const record of records) {
    const from = Math.round(Math.max(record.startedAt, query.from));
    const to = Math.round(Math.min(record.endedAt, query.to));
    if (!(to > from)) continue;
    total.add(record, to - from);
    for (const [key, ms] of partsOf(record, query.by, { from, to })) {
      const sum = sums.get(key) ?? new Sum();
      sums.set(key, sum);
      sum.add(record, ms);
    }
  }
  const lines = [...sums].map(([key, sum]): UsageLine => ({ key, ...sum.figures(query.prices) }));
  const byKey = (one: UsageLine, other: UsageLine): number => (one.key < other.key ? -1 : 1);
  return {
    lines: lines.toSorted((one, other) =>
      query.by === 'day' || one.cost === other.cost ? byKey(one, other) : other.cost - one.cost,
    ),
    total: total.figures(query.prices),
  };
}

function partsOf(
  record: UsageRecord,
  by: UsageGrouping,
  { from, to }: { readonly from: number; readonly to: number },
): readonly (readonly [key: string, ms: number])[] {
  switch (by) {
    case 'namespace':
      return [[record.namespace, to - from]];
    case 'owner': {
      const { kind, name } = ownerOf(record);
      return [[`${record.namespace}/${kind}/${name}`, to - from]];
    }
    case 'day': {
      const first = Math.floor(from / dayMs);
      const days = Math.ceil(to / dayMs) - first;
      return Array.from({ length: days }, (_, index) => {
        const start = (first + index) * dayMs;
        const ms = Math.min(to, start + dayMs) - Math.max(from, start);
        return [new Date(start).toISOString().slice(0, 10), ms] as const;
      });
    }
  }
}

const minuteMs = 60_000;

/**
 * The controller, or the pod itself. A CronJob's Job has the scheduled time in its name, in minutes
 * (https://github.com/kubernetes/kubernetes/blob/master/pkg/controller/cronjob/utils.go, `getJobName`): its runs are one
 * line. Numbers that are no time shortly before the run are somebody's own.
 */
function ownerOf({ owner, name, startedAt }: UsageRecord): UsageOwner {
  if (owner === undefined) return { kind: 'Pod', name };
  const [, cronJob, minutes] = /^(.+)-(\d{8})$/.exec(owner.name) ?? [];
  if (owner.kind !== 'Job' || cronJob === undefined) return owner;
  const lateMs = startedAt - Number(minutes) * minuteMs;
  return lateMs >= -minuteMs && lateMs < dayMs ? { kind: 'CronJob', name: cronJob } : owner;
}

/** Whole numbers of ms and of ACI's steps (0.01 cores, 0.1 GB), so that no sum depends on the order. */
class Sum {
  readonly #uids = new Set<string>();
  #ms = 0;
  #centiCoreMs = 0;
  #deciGigabyteMs = 0;

  add(record: UsageRecord, ms: number): void {
    this.#uids.add(record.uid);
    this.#ms += ms;
    this.#centiCoreMs += Math.round(record.cpu * 100) * ms;
    this.#deciGigabyteMs += Math.round(record.memoryInGB * 10) * ms;
  }

  figures({ perCpuSecond, perGBSecond }: UsagePrices): UsageFigures {
    const cpuSeconds = this.#centiCoreMs / 100_000;
    const memoryGBSeconds = this.#deciGigabyteMs / 10_000;
    return {
      pods: this.#uids.size,
      seconds: this.#ms / 1000,
      cpuSeconds,
      memoryGBSeconds,
      cost: cpuSeconds * perCpuSecond + memoryGBSeconds * perGBSecond,
    };
  }
}
