import type { ClusterRegistration } from '../../../shared/wire/settings.ts';
import type { AppSettings } from '../app-settings.ts';
import type { CliContext } from '../context.ts';
import { failed } from '../inspect/check.ts';
import { contextFor } from '../inspect/cluster-reader.ts';
import { kubeContexts } from '../inspect/registered.ts';
import type { ReportCheck } from './azure-checks.ts';
import { checkNetwork } from './network-checks.ts';
import { checkPods } from './pods-checks.ts';
import type { PodsWants } from './pods-options.ts';

export interface PodsPart {
  readonly app: AppSettings;
  readonly hasAz: boolean;
  readonly clusters: readonly ClusterRegistration[];
  readonly wants: PodsWants;
  readonly pollMs: number;
}

/** What `--pods` adds: the ways by which pods go, as Azure has them, and a pod in each cluster that tries them. */
export async function checkPodsPart(
  context: CliContext,
  { app: { settings, source }, hasAz, clusters, wants, pollMs }: PodsPart,
  report: ReportCheck,
): Promise<void> {
  const asked = clusters.filter(
    ({ nodes }) => wants.node === undefined || nodes.some(({ name }) => name === wants.node),
  );
  if (asked.length === 0 && wants.node !== undefined)
    return report(
      failed('pods', `No registered cluster has a node ${wants.node}.`, 'status lists them; leave --node out for any.'),
    );
  const seen = await checkNetwork(context, { settings, source, hasAz }, report);
  const known = await kubeContexts(context);
  for (const cluster of asked) {
    const { context: kubeContext } = contextFor(cluster.server, known, context.options.text('context'));
    await checkPods(context, { cluster, settings, wants, kubeContext, seen, pollMs }, report);
  }
}
