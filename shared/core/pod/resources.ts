import type { GroupResources } from '../group/group.ts';
import type { Container, Pod } from '../kubernetes/pod.ts';
import { ceilCentiCores, ceilDeciGigabytes, parseQuantity, type NanoUnits } from '../quantity/quantity.ts';
import { own } from './own.ts';
import type { Notice } from './translation.ts';

/** ACI's own steps, as whole numbers so that sums are exact: 0.01 cores and 0.1 GB. */
export interface Steps {
  readonly centiCores: number;
  readonly deciGigabytes: number;
}

export interface ContainerResources {
  readonly requests: GroupResources;
  readonly limits: GroupResources;
}

export interface Allocation {
  /** In the order of `spec.containers`. */
  readonly containers: readonly ContainerResources[];
  /** What the whole group requests, and so all that any of its containers can use. */
  readonly total: Steps;
  readonly notices: readonly Notice[];
}

/** ACI takes no smaller group (aci.md §2.3). */
export const smallestGroup: Steps = { centiCores: 100, deciGigabytes: 10 };

/** For a container that requests nothing; it may still use all of its group. */
const defaultRequest: Steps = { centiCores: 10, deciGigabytes: 1 };

type Name = 'cpu' | 'memory';
type Quantities = Readonly<Record<string, string>>;

/** A quantity that is there and not negative. */
function read(map: Quantities, name: Name): NanoUnits | undefined {
  const text = own(map, name);
  const value = text === undefined ? undefined : parseQuantity(text);
  return value === undefined || value < 0n ? undefined : value;
}

const steps = (map: Quantities): Partial<Steps> => {
  const cpu = read(map, 'cpu');
  const memory = read(map, 'memory');
  return {
    ...(cpu !== undefined && { centiCores: Math.max(1, ceilCentiCores(cpu)) }),
    ...(memory !== undefined && { deciGigabytes: Math.max(1, ceilDeciGigabytes(memory)) }),
  };
};

/** A container's own request: as written, else its limit (as the API server defaults it), else a small default. */
const requestOf = ({ resources }: Container): Steps => ({
  ...defaultRequest,
  ...steps(resources.limits),
  ...steps(resources.requests),
});

const add = (left: Steps, right: Steps): Steps => ({
  centiCores: left.centiCores + right.centiCores,
  deciGigabytes: left.deciGigabytes + right.deciGigabytes,
});

const larger = (left: Steps, right: Steps): Steps => ({
  centiCores: Math.max(left.centiCores, right.centiCores),
  deciGigabytes: Math.max(left.deciGigabytes, right.deciGigabytes),
});

const nothing: Steps = { centiCores: 0, deciGigabytes: 0 };

/** The pod's effective request: the sum of its containers, or its largest init container, at least ACI's smallest group. */
export function effectiveRequest(pod: Pod): Steps {
  const sum = pod.spec.containers.map(requestOf).reduce(add, nothing);
  return pod.spec.initContainers.map(requestOf).reduce(larger, larger(sum, smallestGroup));
}

export const toGroupResources = ({ centiCores, deciGigabytes }: Steps): GroupResources => ({
  cpu: centiCores / 100,
  memoryInGB: deciGigabytes / 10,
});

const clampedNotice = (fields: readonly string[], { cpu, memoryInGB }: GroupResources): Notice => ({
  reason: 'LimitAboveGroup',
  message: `${fields.join(', ')}: a container can not use more than its group requests, ${cpu} cores and ${memoryInGB} GB; raise the requests to get more`,
});

function limitsAbove(container: Container, path: string, total: Steps): readonly string[] {
  const limits = steps(container.resources.limits);
  return [
    ...((limits.centiCores ?? 0) > total.centiCores ? [`${path}.resources.limits.cpu`] : []),
    ...((limits.deciGigabytes ?? 0) > total.deciGigabytes ? [`${path}.resources.limits.memory`] : []),
  ];
}

/** Between the own request and the group's total: ACI refuses the rest. No limit means all of the group. */
const clamp = (limit: number | undefined, request: number, total: number): number =>
  Math.max(request, Math.min(limit ?? total, total));

function containerResources(container: Container, request: Steps, total: Steps): ContainerResources {
  const limits = steps(container.resources.limits);
  return {
    requests: toGroupResources(request),
    limits: toGroupResources({
      centiCores: clamp(limits.centiCores, request.centiCores, total.centiCores),
      deciGigabytes: clamp(limits.deciGigabytes, request.deciGigabytes, total.deciGigabytes),
    }),
  };
}

/** Requests and limits of each container; what the group needs beyond their sum goes to the first. */
export function allocate(pod: Pod): Allocation {
  const own = pod.spec.containers.map(requestOf);
  const total = effectiveRequest(pod);
  const sum = own.reduce(add, nothing);
  const missing: Steps = {
    centiCores: total.centiCores - sum.centiCores,
    deciGigabytes: total.deciGigabytes - sum.deciGigabytes,
  };
  const above = pod.spec.containers.flatMap((container, index) =>
    limitsAbove(container, `spec.containers[${index}]`, total),
  );
  return {
    containers: pod.spec.containers.map((container, index) => {
      const request = own[index] ?? defaultRequest;
      return containerResources(container, index === 0 ? add(request, missing) : request, total);
    }),
    total,
    notices: above.length === 0 ? [] : [clampedNotice(above, toGroupResources(total))],
  };
}
