import { isArmWrite } from './arm-writes.ts';
import type { ArmWrite } from './arm-writes.ts';
import type { Report } from './violation.ts';

/** How many requests of each kind the life of one pod without faults may cost. */
export interface ArmBudget {
  readonly puts: number;
  readonly stops: number;
  readonly deletes: number;
}

export interface Spending {
  readonly requests: readonly { readonly name: string; readonly at: number }[];
  readonly budget: ArmBudget;
  readonly faultsMet: number;
  /** Two processes worked. */
  readonly isPair: boolean;
}

const fiveMinutesMs = 300_000;
/** docs/aci.md, Budgets: creates and deletes in five minutes; reads a second (ARM's bucket refills 25). */
const windowLimit = 100;

/**
 * O6: the requests of a life stay within ARM's windows, and within what the life needs: each fault may cost each kind
 * of request once more, and reads are a poll each second and a half at most, over the whole.
 */
export function findOverspending({ requests, budget, faultsMet, isPair }: Spending, report: Report): void {
  const limits: readonly (readonly [ArmWrite, number])[] = [
    ['groups.createOrUpdate', budget.puts],
    ['groups.stop', budget.stops],
    ['groups.delete', budget.deletes],
  ];
  for (const [name, most] of limits) {
    const all = requests.filter((one) => one.name === name).map(({ at }) => at);
    if (all.length > most + faultsMet) report('O6', `${name} is sent ${all.length} times`, '');
    const crowded = all.some((at, index) => (all[index + windowLimit] ?? Infinity) - at < fiveMinutesMs);
    if (crowded) report('O6', `${name} is sent more than ${windowLimit} times in five minutes`, '');
  }
  const reads = requests.filter((one) => !isArmWrite(one)).map(({ at }) => at);
  const lived = ((reads.at(-1) ?? 0) - (reads[0] ?? 0)) / 1000;
  const most = 20 + lived / 1.5 + (faultsMet + Number(isPair)) * 10;
  if (reads.length > most) report('O6', `${reads.length} reads in ${lived.toFixed(0)} s`, '');
}
