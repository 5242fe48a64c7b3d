import type { GroupResources } from '../group/group.ts';
import type { Container, Pod } from '../kubernetes/pod.ts';
import { ceilCentiCores, ceilDeciGigabytes, parseQuantity } from '../quantity/quantity.ts';
import type { NanoUnits } from '../quantity/quantity.ts';
import { isSidecar } from '../status/restart.ts';
import { own } from './own.ts';
import { flatContainers } from './sidecars.ts';
import type { FlatContainer } from './sidecars.ts';
import type { Notice } from './translation.ts';

/** ACI's own steps, as whole numbers so that sums are exact: 0.01 cores and 0.1 GB. */
export interface Steps {
  readonly centiCores: number;
  readonly deciGigabytes: number;
}

interface ContainerResources {
  readonly requests: GroupResources;
  readonly limits: GroupResources;
}

export interface Allocation {
  /** In the order of `spec.containers`. */
  readonly containers: readonly ContainerResources[];
  /** Of the flat init containers (sidecars.ts), in their order. */
  readonly flat: readonly ContainerResources[];
  /** What the whole group requests, and so all that any of its containers can use. */
  readonly total: Steps;
  readonly notices: readonly Notice[];
}

/** ACI takes no smaller group (docs/aci.md, Limits of a group). */
const smallestGroup: Steps = { centiCores: 100, deciGigabytes: 10 };

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

/** ACI's least: a flat init container may use all of the group, and runs before the others do. */
const leastRequest: Steps = { centiCores: 1, deciGigabytes: 1 };

const flatRequest = ({ container, isSidecar }: FlatContainer): Steps =>
  isSidecar ? requestOf(container) : leastRequest;

/** While an init container runs, so do the sidecars before it. */
function initRequest(pod: Pod): Steps {
  let sidecars = nothing;
  let most = nothing;
  for (const container of pod.spec.initContainers)
    if (isSidecar(container)) sidecars = add(sidecars, requestOf(container));
    else most = larger(most, add(sidecars, requestOf(container)));
  return most;
}

/**
 * The pod's effective request (KEP-753): the sum of its containers and sidecars, or its largest init container with the
 * sidecars before it; at least ACI's smallest group.
 */
export function effectiveRequest(pod: Pod): Steps {
  const running = [...flatContainers(pod).map(flatRequest), ...pod.spec.containers.map(requestOf)].reduce(add, nothing);
  return larger(larger(running, smallestGroup), initRequest(pod));
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

/**
 * Whoever adds 0.7, 0.2 and 0.1 as binary fractions gets less than 1, and ACI refuses a group below 1 core or a limit
 * above the sum. One step more for the first container makes up for it.
 */
function slack(requests: readonly number[], perUnit: number): 0 | 1 {
  const added = requests.reduce((sum, request) => sum + request / perUnit, 0);
  const exact = requests.reduce((sum, request) => sum + request, 0) / perUnit;
  return added < exact ? 1 : 0;
}

/** Own requests; what the group needs beyond their sum, in this order, goes to the one at `first`. */
function distribute(own: readonly Steps[], total: Steps, first: number): readonly Steps[] {
  const sum = own.reduce(add, nothing);
  const missing: Steps = {
    centiCores: total.centiCores - sum.centiCores,
    deciGigabytes: total.deciGigabytes - sum.deciGigabytes,
  };
  const topped = own.map((request, index) => (index === first ? add(request, missing) : request));
  const more: Steps = {
    centiCores: slack(
      topped.map(({ centiCores }) => centiCores),
      100,
    ),
    deciGigabytes: slack(
      topped.map(({ deciGigabytes }) => deciGigabytes),
      10,
    ),
  };
  return topped.map((request, index) => (index === first ? add(request, more) : request));
}

/** Requests and limits of each container, such that ACI takes the group: flat init containers first, as it has them. */
export function allocate(pod: Pod): Allocation {
  const flat = flatContainers(pod);
  const running = [...flat.map(({ container }) => container), ...pod.spec.containers];
  const total = effectiveRequest(pod);
  const own = [...flat.map(flatRequest), ...pod.spec.containers.map(requestOf)];
  const requests = distribute(own, total, flat.length);
  const paths = [
    ...flat.map(({ index }) => `spec.initContainers[${index}]`),
    ...pod.spec.containers.map((_, index) => `spec.containers[${index}]`),
  ];
  const above = running.flatMap((container, index) => limitsAbove(container, paths[index] ?? '', total));
  const resources = running.map((container, index) =>
    containerResources(container, requests[index] ?? defaultRequest, total),
  );
  return {
    containers: resources.slice(flat.length),
    flat: resources.slice(0, flat.length),
    total,
    notices: above.length === 0 ? [] : [clampedNotice(above, toGroupResources(total))],
  };
}
