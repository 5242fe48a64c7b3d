import type { Pod } from '../../kubernetes/pod.ts';
import { assumptions } from '../assumptions.ts';
import type { Assumption, AssumptionId, Feature } from '../assumptions.ts';

/** What a pod can't have at its place, with the assumption that a probe found to fail there. */
export type LostFeatures = ReadonlyMap<Feature, AssumptionId>;

const restarted = (pod: Pod): boolean => pod.spec.restartPolicy !== 'Never';

/** Of which pods a feature is; absent: of all. */
const ofPods: Partial<Readonly<Record<Feature, (pod: Pod) => boolean>>> = {
  'the agent in pods whose containers ACI starts again (restartPolicy Always and OnFailure)': restarted,
  'hostAliases in pods whose containers ACI starts again': restarted,
};

const hostAliases = /^spec\.hostAliases\b/;
const renewed = /^spec\.volumes\[\d+\]\..*\.(?:fieldRef|serviceAccountToken)$/;

/**
 * The fields by which a pod asks for a feature. `elsewhere`: it is in no field alone, and judged where it is decided:
 * `agentStance`, `decideAgent`, `liveVolumes`, or in the group, by the agent.
 */
const fields: Readonly<Record<Feature, RegExp | 'elsewhere'>> = {
  'everything that needs the agent': 'elsewhere',
  'the agent in a container whose image has another user than root': 'elsewhere',
  'the agent in pods whose containers ACI starts again (restartPolicy Always and OnFailure)': 'elsewhere',
  hostAliases,
  'hostAliases in pods whose containers ACI starts again': hostAliases,
  defaultMode: /^spec\.volumes\[.*\.defaultMode$/,
  mode: /^spec\.volumes\[.*\.items\[\d+\]\.mode$/,
  fsGroup: /^spec\.securityContext\.fsGroup$/,
  'Secrets that are renewed in running containers': 'elsewhere',
  AGENT_DOWNLOAD: 'elsewhere',
  'probes of readiness and startup by the agent': /^spec\.\w+\[\d+\]\.(?:readiness|startup)Probe\b/,
  terminationMessagePath: /\.terminationMessagePath$/,
  'reports of the agent': 'elsewhere',
  'renewed volumes': renewed,
  'status.podIP in the environment': /\.env\[\d+\]\.valueFrom\.fieldRef$/,
  runAsUser: /\bsecurityContext\.runAsUser$/,
  runAsGroup: /\bsecurityContext\.runAsGroup$/,
  supplementalGroups: /^spec\.securityContext\.supplementalGroups/,
  capabilities: /\bsecurityContext\.capabilities\b/,
  'the reason OOMKilled': 'elsewhere',
  'probes of the agent to another container’s port': 'elsewhere',
  'preStop and stopSignal': /\.lifecycle\.(?:preStop\.(?:exec|httpGet)|stopSignal)$/,
  'a grace that the program has asked for': /^spec\.terminationGracePeriodSeconds$|\.(?:command|args)$/,
};

const rows: readonly (Assumption & {
  readonly id: AssumptionId;
  readonly refused: readonly Feature[];
  readonly without: readonly Feature[];
})[] = assumptions;

/** By what was found to fail at the pod's place. Undefined: the pod can have all. */
export function lostFeatures(failed: ReadonlySet<AssumptionId> | undefined, pod: Pod): LostFeatures | undefined {
  if (failed === undefined) return undefined;
  const lost = new Map<Feature, AssumptionId>();
  for (const { id, refused, without } of rows.filter((row) => failed.has(row.id)))
    for (const feature of [...refused, ...without])
      if (!lost.has(feature) && (ofPods[feature]?.(pod) ?? true)) lost.set(feature, id);
  return lost;
}

/** The assumption for which a field is lost. */
export function lostField(lost: LostFeatures | undefined, field: string): AssumptionId | undefined {
  for (const [feature, id] of lost ?? []) {
    const pattern = fields[feature];
    if (pattern !== 'elsewhere' && pattern.test(field)) return id;
  }
  return undefined;
}

/** Half a sentence: why it is not to be had. */
export function foundThat(id: AssumptionId): string {
  const otherwise = rows.find((row) => row.id === id)?.otherwise ?? '';
  return `probe found that ${otherwise} here (${id})`;
}
