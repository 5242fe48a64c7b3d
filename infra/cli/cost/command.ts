import type { UsageGrouping } from '../../../shared/core/usage/summary.ts';
import type { Command } from '../command.ts';
import type { CliContext } from '../context.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { failure, wrongInput } from '../stop.ts';
import { faultClause } from '../inspect/fault-reason.ts';
import { priceOptions, pricesOf } from '../inspect/prices.ts';
import { collectUsage, usageFix } from './collect.ts';
import { printCost } from './print.ts';
import { costReport } from './report.ts';
import { parseWindow } from './window.ts';

const help = `
Adds up what the pods of this installation used: the vCPU and gigabytes of each container group, from its start to
its end, or to now where it still runs; of all its nodes, those that were taken out included, as far back as the
ledger goes (400 days). It reads the tables with your own rights and changes nothing. It is no bill: prices are the
public list prices unless you give yours, and only container groups are in it.

--from and --to take a day (its midnight, UTC) or an instant such as 2026-11-01T08:00:00Z; the window ends just before
--to. Without them it goes from the first of this month to now.

--output json|yaml has {schemaVersion, installation, by, from, to, prices {currency, perCpuSecond, perGBSecond, source: list|given},
lines[] {key, pods, seconds, cpuSeconds, memoryGBSeconds, cost}, total {…}, running {pods, cpu, memoryInGB,
costPerMonth}, notIncluded[]}.
`;

export const costCommand: Command = {
  help,
  options: {
    from: { type: 'string', value: 'DAY', description: 'since when (default: the first of this month)' },
    to: { type: 'string', value: 'DAY', description: 'until when (default: now)' },
    by: { type: 'string', value: 'WHAT', description: 'namespace, owner or day (default namespace)' },
    ...priceOptions,
  },
  run: showCost,
};

/** One summary. */
export async function showCost(context: CliContext): Promise<ExitCode> {
  const { options, out } = context;
  const by = parseGrouping(options.text('by'));
  const prices = pricesOf(options);
  // Wrong days are reported before anything is asked.
  parseWindow(options.text('from'), options.text('to') ?? farFuture, 0);
  const { INSTALLATION: installation } = await context.settings();
  const store = await context.store();
  const nodes = await store.listNodes();
  if (!nodes.ok) throw failure(`the tables could not be read: ${faultClause(nodes.fault)}`, usageFix(nodes.fault));
  const now = await store.now();
  if (!now.ok) throw failure(`the tables could not be read: ${faultClause(now.fault)}`, usageFix(now.fault));
  const window = parseWindow(options.text('from'), options.text('to'), now.value);
  const usage = await collectUsage(store, nodes.value, { ...window, now: now.value });
  if (!usage.ok) throw failure(`the ledger could not be read: ${faultClause(usage.fault)}`, usageFix(usage.fault));
  const report = costReport(usage.value, { installation, by, prices, ...window });
  if (!out.value(report)) printCost(out, report);
  return exitCodes.done;
}

const farFuture = '9999-12-31';

function parseGrouping(text: string | undefined): UsageGrouping {
  const by = text ?? 'namespace';
  if (by === 'namespace' || by === 'owner' || by === 'day') return by;
  throw wrongInput(`--by wants namespace, owner or day, not "${by}"`, 'leave it out for namespace');
}
