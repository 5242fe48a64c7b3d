import type { ExplainedContainer } from '../../../shared/core/pod/explanation.ts';
import { pricesText } from '../inspect/prices.ts';
import type { Colour, Output } from '../output.ts';
import type { ExplainReport, ReportedPod } from './report.ts';
import { placeText } from './source.ts';

/** The report for people. */
export function printExplanation(out: Output, report: ExplainReport): void {
  for (const pod of report.pods) printPod(out, pod, report.prices.currency);
  out.line(countsText(report));
  const { total, prices } = report;
  if (total.pods > 0)
    out.line(
      `What runs of it: ${many(total.pods, 'pod')}, ${size(total)}, ${prices.currency} ${total.pricePerHour.toFixed(3)} an hour. ${pricesText(prices)}`,
    );
  if (report.pods.length > 0) out.line(assumedText(report));
}

const colours: Readonly<Record<ReportedPod['verdict'], Colour>> = {
  runs: 'green',
  'runs with notes': 'yellow',
  refused: 'red',
};

function printPod(out: Output, pod: ReportedPod, currency: string): void {
  const { kind, namespace, name, replicas, source, verdict } = pod;
  const count = replicas === 1 ? '' : ` × ${replicas}`;
  out.line(
    `${out.paint('bold', `${kind} ${namespace}/${name}`)}${count} (${placeText(source)}): ${out.paint(colours[verdict], verdict)}${tierText(pod)}`,
  );
  out.line(`  ${size(pod)}, ${currency} ${pod.pricePerHour.toFixed(3)} an hour${replicas === 1 ? '' : ' each'}`);
  for (const { field, why, agent, wayOut } of pod.refused) {
    out.line(
      `  ${out.paint('red', 'refused')}   ${field}: ${why}${agent === undefined ? '' : ` (needs the agent, ${agent})`}`,
    );
    if (wayOut !== undefined) out.line(`            → ${wayOut}`);
  }
  for (const container of pod.containers.filter(({ rounded }) => rounded.length > 0))
    out.line(`  rounded   ${roundedText(container)}`);
  for (const { reason, message } of pod.noted) out.line(`  noted     ${reason}: ${message}`);
  for (const { field, how } of pod.emulated) out.line(`  emulated  ${field}: ${how}`);
  if (pod.group !== undefined) out.line(indented(JSON.stringify(pod.group, undefined, 2)));
  out.line('');
}

function tierText({ verdict, tier, tierReason }: ReportedPod): string {
  if (verdict !== 'refused') return ` (${tier ?? 'T0'}${tierReason === null ? '' : `: ${tierReason}`})`;
  return tier === null ? '' : `; needs the agent (${tier})`;
}

const indented = (text: string): string => text.replaceAll(/^/gm, '    ');

const size = ({ cpu, memoryInGB }: { readonly cpu: number; readonly memoryInGB: number }): string =>
  `${String(cpu)} vCPU and ${String(memoryInGB)} GB`;

function roundedText({ name, rounded, asked, granted }: ExplainedContainer): string {
  const parts = rounded.map((what) =>
    what === 'cpu'
      ? `cpu ${asked.cpu ?? 'of no request'} → ${String(granted.cpu)}`
      : `memory ${asked.memory ?? 'of no request'} → ${String(granted.memoryInGB)} GB`,
  );
  return `container ${name}: ${parts.join(', ')}`;
}

const many = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

function countsText({ pods, counts, skipped }: ExplainReport): string {
  const without = skipped.reduce((sum, { count }) => sum + count, 0);
  const kinds = skipped.map(({ kind, count }) => `${count} ${kind}`).join(', ');
  const verdicts = `${counts.runs} run, ${counts.noted} run with notes, ${counts.refused} refused`;
  const other = without === 0 ? '' : `${many(without, 'object')} without pods (${kinds})`;
  if (pods.length === 0) return `No pods in it${other === '' ? '' : `: ${other}`}.`;
  return `${many(pods.length, 'workload')}: ${verdicts}${other === '' ? '' : `; ${other}`}.`;
}

function assumedText({ assumed }: ExplainReport): string {
  const { subnet, agent, securityPolicy, maxGroup } = assumed;
  const agentText = agent === 'absent' ? 'no agent' : `the agent (AGENT=${agent})`;
  const sentence = `Assumed: a node ${subnet ? 'in' : 'without'} a subnet, ${agentText}, SECURITY_POLICY=${securityPolicy}, groups of up to ${maxGroup.cpu} cores and ${maxGroup.memoryInGB} GB (--no-subnet, --no-agent, --strict, --max-cpu, --max-memory-gb; or --app, --settings).`;
  return assumed.probed === undefined ? sentence : `${sentence} ${probedText(assumed.probed)}`;
}

function probedText(probed: NonNullable<ExplainReport['assumed']['probed']> | null): string {
  if (probed === null)
    return 'Nothing was probed there, so that what is assumed of Container Instances is taken to be so (kubectl aci probe).';
  return `Probed at ${probed.at}: ${probed.failed.length === 0 ? 'nothing fails' : `${probed.failed.join(', ')} fails`}.`;
}
