import { defined } from '../defined.ts';
import type { ContainerStatus, Pod } from '../kubernetes/pod.ts';
import { isConfidential } from '../pod/annotations/placed.ts';
import { wishesOf } from '../pod/annotations/read-wishes.ts';
import { effectiveRequest } from '../pod/resources.ts';
import { instantMs } from '../status/time.ts';

/** A container of a pod that runs, by the pod's status. */
export interface MeasuredContainer {
  readonly name: string;
  /** `state.running.startedAt`, RFC 3339: another value is another run, whose counter begins anew. */
  readonly startedAt: string;
}

/** What of a pod is kept to measure it. */
export interface MeasuredPod {
  readonly node: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** `status.startTime`, RFC 3339. */
  readonly startedAt: string;
  /** Those that run, of the pod's own alone: neither the platform's nor ours. */
  readonly containers: readonly MeasuredContainer[];
  /** What its group has: more it can't use, whatever is said of it. */
  readonly most: { readonly cores: number; readonly bytes: number };
  /** Where ACI's realtime-metrics may answer; absent: only Azure Monitor knows of it. */
  readonly address?: string;
}

/** What is kept in memory, in bytes. Only the working set is known from every source. */
export interface MemoryUse {
  readonly workingSetBytes: number;
  readonly usageBytes?: number;
  readonly rssBytes?: number;
}

/** What one network interface has carried. */
export interface InterfaceUse {
  readonly name: string;
  readonly rxBytes: number;
  readonly rxErrors: number;
  readonly txBytes: number;
  readonly txErrors: number;
}

/** What a pod's network has carried, and by which interfaces. */
export interface NetworkUse extends InterfaceUse {
  readonly interfaces: readonly InterfaceUse[];
}

/** ACI's gigabyte is not said to be 10⁹ or 2³⁰ bytes; the larger spares nobody. */
const deciGigabyte = 2 ** 30 / 10;

/** What there is to measure of a pod; undefined: nothing runs. */
export function measuredPod(pod: Pod): MeasuredPod | undefined {
  const { metadata, spec, status } = pod;
  const own = new Set([...spec.initContainers, ...spec.containers].map(({ name }) => name));
  const containers = [...status.initContainerStatuses, ...status.containerStatuses]
    .filter(({ name }) => own.has(name))
    .flatMap(runningContainer);
  const [first] = containers;
  if (first === undefined) return undefined;
  const { centiCores, deciGigabytes } = effectiveRequest(pod);
  return {
    node: spec.nodeName,
    namespace: metadata.namespace,
    name: metadata.name,
    uid: metadata.uid,
    startedAt: status.startTime ?? first.startedAt,
    containers,
    most: { cores: centiCores / 100, bytes: deciGigabytes * deciGigabyte },
    ...defined({ address: measuredAddress(pod) }),
  };
}

const runningContainer = ({ name, state }: ContainerStatus): readonly MeasuredContainer[] =>
  state.kind === 'running' && instantMs(state.startedAt) !== undefined ? [{ name, startedAt: state.startedAt }] : [];

/** A pod in a subnet has a private address. One outside has a public one by annotation, where nothing of ours answers. */
function measuredAddress({ metadata, status }: Pod): string | undefined {
  const wishes = wishesOf(metadata.annotations);
  const isWithout = wishes.subnet === 'none' || wishes.dnsNameLabel !== undefined;
  const hasNone = isWithout || wishes.realtimeMetrics === false || isConfidential(wishes);
  return hasNone || status.podIP === '' ? undefined : status.podIP;
}
