/** What of a pod somebody else may change, and a kubelet acts on. */

/**
 * Conditions that a kubelet itself writes
 * (https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/types/pod_status.go); all others are somebody else's.
 */
export const ownConditions: ReadonlySet<string> = new Set([
  'PodReadyToStartContainers',
  'Initialized',
  'ContainersReady',
  'Ready',
]);

/** A pod as far as its changes go. */
export interface PodFacts {
  readonly generation: number;
  readonly deletionTimestamp?: string | undefined;
  readonly conditions: readonly {
    readonly type: string;
    readonly status: string;
    readonly reason?: string | undefined;
  }[];
}

/**
 * What must differ for a pod to be read and worked on again: generation, deletionTimestamp, a condition of somebody
 * else. A status patch of our own changes none of it.
 */
export const foreignChange = ({ generation, deletionTimestamp, conditions }: PodFacts): string =>
  `${generation}|${deletionTimestamp ?? ''}|${foreignConditions(conditions).join(',')}`;

const foreignConditions = (conditions: PodFacts['conditions']): readonly string[] =>
  conditions
    .filter(({ type }) => !ownConditions.has(type))
    .map(({ type, status, reason }) => `${type}=${status}/${reason ?? ''}`)
    .sort();

/**
 * What must differ for a change to be reported: besides the above what a kubelet wrote and others overwrite. The node
 * controller sets Ready=False on the pods of a late node, and PodGC the phase. Times, messages and container states are
 * left out: they are a kubelet's own, and come back to it with each of its patches.
 */
export const reportedChange = (
  pod: PodFacts & { readonly phase: string; readonly deletionGracePeriodSeconds?: number | undefined },
): string => {
  const own = pod.conditions
    .filter(({ type }) => ownConditions.has(type))
    .map(({ type, status }) => `${type}=${status}`);
  return [foreignChange(pod), pod.deletionGracePeriodSeconds ?? '', pod.phase, ...own.sort()].join('\n');
};
