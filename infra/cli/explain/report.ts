import { agentDeliveryAt } from '../../../shared/core/agent/agent-facts.ts';
import type { AgentMode } from '../../../shared/core/agent/agent-facts.ts';
import { isSamePlace } from '../../../shared/core/agent/findings/probed-place.ts';
import type { JsonObject } from '../../../shared/core/json.ts';
import type { ConfigMapData } from '../../../shared/core/kubernetes/references.ts';
import { explainPod } from '../../../shared/core/pod/explanation.ts';
import type { ExplainedContainer, ExplainedRefusal, Explanation } from '../../../shared/core/pod/explanation.ts';
import { assumedImages, placeholderReferences } from '../../../shared/core/pod/placeholders.ts';
import type { Known } from '../../../shared/core/pod/placeholders.ts';
import type { NodeFacts, Notice } from '../../../shared/core/pod/translation.ts';
import type { ProbeRecord } from '../../../shared/wire/probe-record.ts';
import type { Prices } from '../inspect/prices.ts';
import type { FoundPod, FoundPods } from './find-pods.ts';
import { readableGroup } from './readable-group.ts';
import type { Position } from './source.ts';

/**
 * What `explain --output json` prints (docs/explain.md). Within a `schemaVersion` members are added, and none is renamed
 * or taken away.
 */
export interface ExplainReport {
  readonly assumed: {
    readonly subnet: boolean;
    /** `AGENT`, where a group can get the agent. */
    readonly agent: AgentMode | 'absent';
    readonly securityPolicy: NodeFacts['securityPolicy'];
    readonly maxGroup: NodeFacts['maxGroup'];
    /** What was found where the node's groups are; null: nothing was probed there. Absent: no app is named. */
    readonly probed?: { readonly at: string; readonly failed: readonly string[] } | null;
  };
  readonly prices: Prices;
  /** In the order of the input; one for each workload. */
  readonly pods: readonly ReportedPod[];
  /** Of what runs, all replicas. */
  readonly total: { readonly pods: number } & Size;
  readonly counts: { readonly runs: number; readonly noted: number; readonly refused: number };
  /** Objects without pods. */
  readonly skipped: readonly { readonly kind: string; readonly count: number }[];
}

interface Size {
  readonly cpu: number;
  readonly memoryInGB: number;
  readonly pricePerHour: number;
}

export interface ReportedPod extends Size {
  readonly source: Position;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly replicas: number;
  readonly verdict: Explanation['verdict'];
  /** null: something is refused that no tier gives. */
  readonly tier: 'T0' | 'T1' | 'T2' | null;
  /** For what it has the agent: the first field, and how many more. null: it has none. */
  readonly tierReason: string | null;
  readonly refused: readonly ExplainedRefusal[];
  readonly noted: readonly Notice[];
  readonly emulated: Explanation['emulated'];
  readonly containers: readonly ExplainedContainer[];
  /** The body of the PUT, where it was asked for and the pod is not refused. */
  readonly group?: JsonObject;
}

export interface Assumptions {
  readonly facts: NodeFacts;
  /** Of the region of the app that is named; absent: none is. */
  readonly probed?: readonly ProbeRecord[];
  readonly prices: Prices;
  readonly withGroup: boolean;
  /** What is known of images. */
  readonly images: Known['images'];
}

export function explainReport(found: FoundPods, assumptions: Assumptions): ExplainReport {
  const { facts, prices } = assumptions;
  const pods = found.pods.map((pod) => reportedPod(pod, found.configMaps, assumptions));
  const running = pods.filter(({ verdict }) => verdict !== 'refused');
  const sum = (read: (pod: ReportedPod) => number, steps: number): number =>
    running.reduce((total, pod) => total + Math.round(read(pod) * steps) * pod.replicas, 0) / steps;
  const cpu = sum((pod) => pod.cpu, 100);
  const memoryInGB = sum((pod) => pod.memoryInGB, 10);
  const count = (verdict: Explanation['verdict']): number => pods.filter((pod) => pod.verdict === verdict).length;
  return {
    assumed: {
      subnet: facts.subnetId !== undefined,
      agent: assumedAgent(facts),
      securityPolicy: facts.securityPolicy,
      maxGroup: facts.maxGroup,
      ...(assumptions.probed && { probed: assumedProbe(assumptions.probed, facts) }),
    },
    prices,
    pods,
    total: {
      pods: running.reduce((total, { replicas }) => total + replicas, 0),
      cpu,
      memoryInGB,
      pricePerHour: hourly({ cpu, memoryInGB }, prices),
    },
    counts: { runs: count('runs'), noted: count('runs with notes'), refused: count('refused') },
    skipped: [...found.skipped].map(([kind, skipped]) => ({ kind, count: skipped })).sort((a, b) => b.count - a.count),
  };
}

function assumedProbe(
  probed: readonly ProbeRecord[],
  { location, subnetId }: NodeFacts,
): NonNullable<ExplainReport['assumed']['probed']> | null {
  const place = { region: location, subnet: subnetId ?? null, sku: 'Standard' };
  const found = probed.find((one) => isSamePlace(one, place));
  if (found === undefined) return null;
  const failed = found.findings.filter(({ outcome }) => outcome === 'fails').map(({ id }) => id);
  return { at: found.at, failed };
}

function assumedAgent({ agent, subnetId }: NodeFacts): AgentMode | 'absent' {
  const isThere = agent !== undefined && agentDeliveryAt(agent, subnetId).kind !== 'none';
  return isThere ? agent.mode : 'absent';
}

const hourly = (
  { cpu, memoryInGB }: { readonly cpu: number; readonly memoryInGB: number },
  { perCpuSecond, perGBSecond }: Prices,
): number => (cpu * perCpuSecond + memoryInGB * perGBSecond) * 3600;

function reportedPod(
  { at, kind, name, namespace, replicas, pod, written }: FoundPod,
  configMaps: ReadonlyMap<string, ConfigMapData>,
  { facts, prices, withGroup, images }: Assumptions,
): ReportedPod {
  const prefix = `${namespace}/`;
  const known = [...configMaps].filter(([key]) => key.startsWith(prefix));
  const atHand = { configMaps: new Map(known.map(([key, map]) => [key.slice(prefix.length), map])), images };
  const resolved = placeholderReferences(pod, facts, atHand);
  const { verdict, tier, tierReason, refusals, notices, emulated, containers, size, body } = explainPod({
    pod,
    written,
    facts,
    resolved,
    assumedImages: assumedImages(pod, facts, atHand),
  });
  return {
    source: at,
    kind,
    namespace,
    name,
    replicas,
    verdict,
    tier: tier ?? null,
    tierReason: tierReason ?? null,
    refused: refusals,
    noted: notices,
    emulated,
    containers,
    ...size,
    pricePerHour: hourly(size, prices),
    ...(withGroup && body !== undefined && { group: readableGroup(body) }),
  };
}
