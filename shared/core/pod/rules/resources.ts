import type { Container } from '../../kubernetes/pod.ts';
import { oneUnit, parseQuantity } from '../../quantity/quantity.ts';
import { refuse } from '../evaluation.ts';
import { own } from '../own.ts';
import { groupStorageBytes } from '../resource-field.ts';
import { allocate, effectiveRequest } from '../resources.ts';
import { locatedContainers } from './rule.ts';
import type { Rule } from './rule.ts';

/** The API server lets only quantities through; what else comes is refused, not guessed. */
export const quantitiesRule: Rule = (pod) =>
  locatedContainers(pod).flatMap(({ container, path }) =>
    (['requests', 'limits'] as const).flatMap((map) =>
      Object.entries(container.resources[map])
        .filter(([, text]) => (parseQuantity(text) ?? -1n) < 0n)
        .map(([name]) => refuse(`${path}.resources.${map}.${name}`, 'a quantity like 500m or 1Gi is expected')),
    ),
  );

const requests = 'spec.containers[*].resources.requests';

/** A pod above the largest group can never run, whatever ARM says now. Judged is what the group would request (`allocate` may add a step). */
export const groupSizeRule: Rule = (pod, { maxGroup }) => {
  const effective = effectiveRequest(pod);
  const { flat, containers } = allocate(pod);
  const granted = [...flat, ...containers].map(({ requests: { cpu, memoryInGB } }) => [cpu * 100, memoryInGB * 10]);
  const sum = (at: 0 | 1): number => granted.reduce((total, steps) => total + Math.round(steps[at] ?? 0), 0);
  const centiCores = Math.max(effective.centiCores, sum(0));
  const deciGigabytes = Math.max(effective.deciGigabytes, sum(1));
  const most = `the largest group has ${maxGroup.cpu} cores and ${maxGroup.memoryInGB} GB`;
  return [
    ...(centiCores / 100 > maxGroup.cpu
      ? [refuse(`${requests}.cpu`, `${centiCores / 100} cores in all; ${most}`, 'OutOfcpu')]
      : []),
    ...(deciGigabytes / 10 > maxGroup.memoryInGB
      ? [refuse(`${requests}.memory`, `${deciGigabytes / 10} GB in all; ${most}`, 'OutOfmemory')]
      : []),
  ];
};

const storage = ({ resources }: Container): bigint =>
  parseQuantity(own(resources.requests, 'ephemeral-storage') ?? '0') ?? 0n;

export const groupStorageRule: Rule = ({ spec }) => {
  const sum = spec.containers.reduce((total, container) => total + storage(container), 0n);
  const fits = sum <= groupStorageBytes * oneUnit;
  return fits
    ? []
    : [refuse(`${requests}.ephemeral-storage`, 'a group has 50 GB of storage', 'OutOfephemeral-storage')];
};

/** Limits above what the group requests in all are lowered to that, and reported. */
export const limitsRule: Rule = (pod) => allocate(pod).notices;
