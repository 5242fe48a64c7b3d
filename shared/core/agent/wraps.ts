import type { Pod } from '../kubernetes/pod.ts';
import { flatContainers, hasSidecars } from '../pod/sidecars.ts';
import type { ContainerKey, Need } from './tier.ts';

/** How the agent starts a program: it becomes the program, or stays as its parent. */
export type WrapMode = 'exec' | 'supervise';

/** By `keyText`; of a container that is not there the program starts as if there were no agent. */
export type Wraps = ReadonlyMap<string, WrapMode>;

export const keyText = ({ member, index }: ContainerKey): string => `${member}[${index}]`;

/** By `keyText`, the program that refuses to run unless it is process 1. */
export type ProcessOnes = ReadonlyMap<string, string>;

/** What the agent can't do here, and for which field. */
export interface Obstacle {
  readonly field: string;
  readonly why: string;
}

const mainKeys = (pod: Pod): readonly string[] =>
  pod.spec.containers.map((_, index) => keyText({ member: 'containers', index }));

const flatKeys = (pod: Pod): readonly string[] =>
  flatContainers(pod).map(({ index }) => keyText({ member: 'initContainers', index }));

const initKeys = (pod: Pod): readonly string[] =>
  pod.spec.initContainers.map((_, index) => keyText({ member: 'initContainers', index }));

/** By `keyText`, the containers that a need is for. */
export function concerned(pod: Pod, { concerns }: Need): readonly string[] {
  if (concerns === 'group') return [];
  if (concerns === 'main') return mainKeys(pod);
  return concerns === 'all' ? [...initKeys(pod), ...mainKeys(pod)] : [keyText(concerns)];
}

/** Whose programs the agent stays beside: who waits for whom, and who ends after whom, is seen by agents alone. */
function supervised(pod: Pod, needs: readonly Need[], isWide: boolean): readonly string[] {
  const own = needs.filter(({ tier }) => tier === 'T2').flatMap((need) => concerned(pod, need));
  const isOfGroup = needs.some(({ tier, concerns }) => tier === 'T2' && concerns === 'group');
  const hasOrder = hasSidecars(pod);
  const all = [...flatKeys(pod), ...mainKeys(pod)];
  return isWide || isOfGroup || hasOrder ? [...own, ...all] : own;
}

export interface WrapScope {
  readonly needs: readonly Need[];
  /** All containers that run beside each other are supervised where one is, so that all report and end as they should. */
  readonly isWide: boolean;
  readonly insisting: ProcessOnes;
}

/** Whose programs the agent starts. Those that ask for nothing run as they always did, unless the agent stays for others. */
export function wrapsOf(pod: Pod, { needs, isWide, insisting }: WrapScope): Wraps {
  const prepared = needs.filter(({ tier }) => tier === 'T1').flatMap((need) => concerned(pod, need));
  const beside = supervised(pod, needs, isWide).filter((key) => !insisting.has(key));
  return new Map<string, WrapMode>([
    ...prepared.map((key) => [key, 'exec'] as const),
    ...beside.map((key) => [key, 'supervise'] as const),
  ]);
}

/** What can't be had of programs that have to be process 1, which the agent would have to be. */
export function insistence(pod: Pod, needs: readonly Need[], insisting: ProcessOnes): readonly Obstacle[] {
  const why = (program: string): string =>
    `${program} runs as process 1 alone, and the agent would have to be that for it`;
  const own = needs
    .filter(({ tier, strength }) => tier === 'T2' && strength === 'needs')
    .flatMap((need) => {
      const program = concerned(pod, need)
        .map((key) => insisting.get(key))
        .find((one) => one !== undefined);
      return program === undefined ? [] : [{ field: need.field, why: why(program) }];
    });
  const ordered = [...flatKeys(pod), ...mainKeys(pod)].map((key) => insisting.get(key));
  const program = hasSidecars(pod) ? ordered.find((one) => one !== undefined) : undefined;
  const [first] = flatContainers(pod);
  if (program === undefined || first === undefined) return own;
  return [...own, { field: `spec.initContainers[${first.index}].restartPolicy`, why: why(program) }];
}
