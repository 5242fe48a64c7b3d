import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from '../command.ts';
import type { CliContext } from '../context.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { createClusterReader } from '../inspect/cluster-reader.ts';
import { gatherStatus } from '../inspect/gather.ts';
import { printStatus } from './print.ts';
import { kubeContexts, registeredClusters } from '../inspect/registered.ts';
import { isBlind, statusReport } from './report.ts';

const watchEveryMs = 5000;

const help = `
Shows what the app, the clusters and ARM have of this installation, with your own rights, and changes nothing:
each node's state, Ready, Lease age (by the API server's time), pods by phase, container groups, what it offers,
and since when the app has compared all of it and the relay has called; how pods reach names and Services of each
cluster; the region's quota; what is left of the
ARM budgets. Below is what is not as it should be, each line with what it means and what to do: pods with a
fault, orphans, groups of clusters that are not registered.

What you may not read, or what does not answer, is named with the reason and hides nothing else.

Exit code 0: healthy; 3: something needs attention; 1: nothing could be read.

--output json|yaml has the same as one object, whose members keep their names within a schemaVersion: schemaVersion,
installation, region, healthy, clusters[] {name, uid, server, liveUid, dns, services, nodes[] {name, state, zone, ready,
unschedulable, version, allocatable, leaseAgeSeconds, statusAgeSeconds, resyncAgeSeconds, relayHeardAgeSeconds, pods,
groups, orphans, troubles[]}},
quota[] {name, used, limit}, budgets[] {name, left, of, fullInSeconds}, unmanagedGroups[] {kind, cluster, node, count},
unreadable[] {part, reason}, findings[] {severity, subject, sentence, hint}. What could not be read is null.
`;

export const statusCommand: Command = {
  help,
  options: {
    watch: { type: 'boolean', description: 'again every 5 seconds, until Ctrl-C' },
  },
  run: async (context) => {
    if (!context.options.flag('watch')) return showStatus(context);
    for (;;) {
      const code = await showStatus(context);
      if (!(await pause(context.signal))) return code;
      if (context.out.format === 'table') context.out.line('─'.repeat(40));
      if (context.out.format === 'yaml') context.out.line('---');
    }
  },
};

/** False when somebody ended it. */
const pause = (signal: AbortSignal): Promise<boolean> => sleep(watchEveryMs, true, { signal }).catch(() => false);

/** Reads everything once. */
export async function showStatus(context: CliContext): Promise<ExitCode> {
  const settings = await context.settings();
  const [store, groups, registered, contexts] = await Promise.all([
    context.store(),
    context.groups(),
    registeredClusters(context),
    kubeContexts(context),
  ]);
  const observed = await gatherStatus({
    settings,
    ...registered,
    store,
    groups,
    contexts,
    context: context.options.text('context'),
    reader: (name) => createClusterReader(context.api, name),
    signal: context.signal,
  });
  const report = statusReport(observed);
  if (!context.out.value(report)) printStatus(context.out, report);
  if (isBlind(observed)) return exitCodes.failed;
  return report.healthy ? exitCodes.done : exitCodes.attention;
}
