import { defined } from '../../../shared/core/defined.ts';
import { describeReach } from '../cluster/reach-text.ts';
import type { Colour, Output } from '../output.ts';
import { durationText } from '../inspect/duration-text.ts';
import type { BudgetObserved, Finding, QuotaObserved } from '../inspect/observed.ts';
import type { ClusterReport, NodeReport, StatusReport } from './report.ts';

const right = (title: string) => ({ title, align: 'right' as const });
const unknown = '?';

/** The report for people. Everything that is not as it should be is at the end, where the eye is. */
export function printStatus(out: Output, report: StatusReport): void {
  out.line(`Installation ${out.paint('bold', report.installation)} in ${report.region}`);
  printNodes(out, report.clusters);
  printQuota(out, report.quota ?? []);
  printBudgets(out, report.budgets ?? []);
  printFindings(out, report);
}

function printNodes(out: Output, clusters: readonly ClusterReport[]): void {
  const rows = clusters.flatMap((cluster) => cluster.nodes.map((node) => nodeRow(out, cluster, node)));
  if (rows.length === 0) return;
  const columns = ['CLUSTER', 'NODE', 'STATE', 'READY', 'LEASE', 'PODS', 'GROUPS', 'ALLOCATABLE', 'RESYNC', 'RELAY'];
  out.line('');
  out.table(columns, rows);
  out.line('');
  for (const { name, dns, services } of clusters)
    out.line(`${name}: ${describeReach(defined({ dns: dns ?? undefined, services: services ?? undefined }))}`);
}

function nodeRow(out: Output, cluster: ClusterReport, node: NodeReport): readonly string[] {
  const { allocatable } = node;
  return [
    cluster.name,
    node.name,
    node.unschedulable === true ? `${node.state}, cordoned` : node.state,
    readyText(out, node.ready),
    ago(node.leaseAgeSeconds),
    podsText(node.pods),
    node.groups === null ? unknown : String(node.groups),
    allocatable === null ? unknown : `${allocatable.cpu} cpu, ${allocatable.memory}, ${allocatable.pods} pods`,
    ago(node.resyncAgeSeconds),
    ago(node.relayHeardAgeSeconds),
  ];
}

function readyText(out: Output, ready: string | null): string {
  if (ready === null) return unknown;
  return out.paint(ready === 'True' ? 'green' : 'red', ready);
}

const ago = (seconds: number | null): string => (seconds === null ? unknown : durationText(seconds));

function podsText(pods: NodeReport['pods']): string {
  if (pods === null) return unknown;
  const phases = Object.entries(pods).map(([phase, count]) => `${String(count)} ${phase}`);
  return phases.length === 0 ? '0' : phases.join(', ');
}

function printQuota(out: Output, quota: readonly QuotaObserved[]): void {
  if (quota.length === 0) return;
  out.line('');
  out.table(
    ['QUOTA', right('FREE'), right('OF')],
    quota.map(({ name, used, limit }) => [name, String(Math.max(0, limit - used)), String(limit)]),
  );
}

function printBudgets(out: Output, budgets: readonly BudgetObserved[]): void {
  if (budgets.length === 0) return;
  out.line('');
  out.table(
    ['BUDGET', right('LEFT'), right('OF'), 'FULL IN'],
    budgets.map(({ name, left, of, fullInSeconds }) => [
      name,
      String(left),
      String(of),
      fullInSeconds === 0 ? 'full' : durationText(fullInSeconds),
    ]),
  );
}

const colours: Readonly<Record<Finding['severity'], Colour>> = { error: 'red', warning: 'yellow', info: 'dim' };

function printFindings(out: Output, { findings, healthy }: StatusReport): void {
  out.line('');
  if (healthy && findings.length === 0) out.line(out.paint('green', 'Nothing needs attention.'));
  for (const { severity, subject, sentence, hint } of findings) {
    out.line(`${out.paint(colours[severity], severity)}: ${subject}: ${sentence}`);
    out.line(`  → ${hint}`);
  }
}
