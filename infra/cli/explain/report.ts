import { tagNames } from '../../../shared/core/group/identity.ts';
import type { GroupBody } from '../../../shared/core/group/group.ts';
import { isJsonObject } from '../../../shared/core/json.ts';
import type { Json, JsonObject } from '../../../shared/core/json.ts';
import type { ConfigMapData } from '../../../shared/core/kubernetes/references.ts';
import { explainPod } from '../../../shared/core/pod/explanation.ts';
import type { ExplainedContainer, ExplainedRefusal, Explanation } from '../../../shared/core/pod/explanation.ts';
import { assumedImages, placeholderReferences } from '../../../shared/core/pod/placeholders.ts';
import type { Known } from '../../../shared/core/pod/placeholders.ts';
import type { NodeFacts, Notice } from '../../../shared/core/pod/translation.ts';
import { formatGroup } from '../../../shared/wire/arm/group-request.ts';
import type { Prices } from '../inspect/prices.ts';
import type { FoundPod, FoundPods } from './find-pods.ts';
import type { Position } from './source.ts';

/**
 * What `explain --output json` prints (docs/explain.md). Within a `schemaVersion` members are added, and none is renamed
 * or taken away.
 */
export interface ExplainReport {
  readonly assumed: {
    readonly subnet: boolean;
    readonly securityPolicy: NodeFacts['securityPolicy'];
    readonly maxGroup: NodeFacts['maxGroup'];
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
  readonly refused: readonly ExplainedRefusal[];
  readonly noted: readonly Notice[];
  readonly emulated: Explanation['emulated'];
  readonly containers: readonly ExplainedContainer[];
  /** The body of the PUT, where it was asked for and the pod is not refused. */
  readonly group?: JsonObject;
}

export interface Assumptions {
  readonly facts: NodeFacts;
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
      securityPolicy: facts.securityPolicy,
      maxGroup: facts.maxGroup,
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
  const { verdict, tier, refusals, notices, emulated, containers, size, body } = explainPod({
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
    refused: refusals,
    noted: notices,
    emulated,
    containers,
    ...size,
    pricePerHour: hourly(size, prices),
    ...(withGroup && body !== undefined && { group: readable(body) }),
  };
}

/** Files of which only the place is known are shown as text: as base64 nobody would see that they are none. */
function readable(body: GroupBody): JsonObject {
  const volumes = body.volumes.map((volume) =>
    'secret' in volume
      ? {
          ...volume,
          secret: Object.fromEntries(Object.entries(volume.secret).map(([file, text]) => [file, readableFile(text)])),
        }
      : volume,
  );
  return withoutUid(formatGroup({ ...body, volumes }));
}

function readableFile(base64: string): string {
  const text = Buffer.from(base64, 'base64').toString('utf8');
  return /^<[^<>]+>$/.test(text) ? text : base64;
}

const ownTags: ReadonlySet<string> = new Set(Object.values(tagNames));

/** Our tags name the pod of the live object, and a hash of it; others are as an annotation says. */
function withoutUid(group: JsonObject): JsonObject {
  const tags: Json | undefined = group['tags'];
  if (!isJsonObject(tags)) return group;
  return {
    ...group,
    tags: Object.fromEntries(Object.entries(tags).map(([tag, value]) => [tag, ownTags.has(tag) ? `<${tag}>` : value])),
  };
}
