/**
 * Sidecars (KEP-753) are init containers that go on running. Init containers of ACI run to their end, one after the other,
 * so from the first sidecar on all of a pod's init containers are ordinary containers of its group: they are flat.
 */
import type { Container, Pod } from '../kubernetes/pod.ts';
import { isSidecar } from '../status/restart.ts';

/** Of the first sidecar; all before it are init containers of the group. Without one, their number. */
export function firstFlat({ spec }: Pick<Pod, 'spec'>): number {
  const index = spec.initContainers.findIndex(isSidecar);
  return index < 0 ? spec.initContainers.length : index;
}

export const hasSidecars = (pod: Pick<Pod, 'spec'>): boolean => firstFlat(pod) < pod.spec.initContainers.length;

/** A flat init container, and its place among the init containers. */
export interface FlatContainer {
  readonly container: Container;
  readonly index: number;
  readonly isSidecar: boolean;
}

/** In the order in which they start. */
export const flatContainers = (pod: Pick<Pod, 'spec'>): readonly FlatContainer[] =>
  pod.spec.initContainers
    .map((container, index) => ({ container, index, isSidecar: isSidecar(container) }))
    .slice(firstFlat(pod));
