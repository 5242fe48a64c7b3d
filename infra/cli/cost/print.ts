import type { UsageFigures } from '../../../shared/core/usage/summary.ts';
import { money, pricesText } from '../inspect/prices.ts';
import type { Output } from '../output.ts';
import type { CostReport } from './report.ts';

const right = (title: string) => ({ title, align: 'right' as const });

/** The report for people. */
export function printCost(out: Output, report: CostReport): void {
  const { prices, running, by, lines, total } = report;
  out.line(
    `Installation ${out.paint('bold', report.installation)}, from ${instant(report.from)} to ${instant(report.to)} (UTC)`,
  );
  out.line('');
  if (lines.length === 0) out.line('Nothing ran in this time.');
  else
    out.table(
      [by.toUpperCase(), right('PODS'), right('VCPU-HOURS'), right('GB-HOURS'), right(`COST (${prices.currency})`)],
      [...lines.map((line) => row(line.key, line)), row('total', total)],
    );
  out.line('');
  out.line(runningText(running, prices.currency));
  out.line(pricesText(prices));
  out.line(`Not in it: ${report.notIncluded.join(', ')}.`);
}

const row = (key: string, { pods, cpuSeconds, memoryGBSeconds, cost }: UsageFigures): readonly string[] => [
  key,
  String(pods),
  (cpuSeconds / 3600).toFixed(2),
  (memoryGBSeconds / 3600).toFixed(2),
  money(cost),
];

function runningText({ pods, cpu, memoryInGB, costPerMonth }: CostReport['running'], currency: string): string {
  if (pods === 0) return 'Nothing runs now.';
  const what = `${pods === 1 ? '1 pod runs' : `${String(pods)} pods run`} now (${String(cpu)} vCPU, ${String(memoryInGB)} GB)`;
  return `${what}: a month of just that would cost ${currency} ${money(costPerMonth)}.`;
}

const instant = (text: string): string => text.replace('T', ' ').replace(/:\d{2}\.\d{3}Z$/, '');
