import type { GroupObservation, ObservedContainer } from './group.ts';

/** A container of a pod in its group. Names are unique in a pod; its sidecars are ordinary containers of the group. */
export function observedContainer(
  group: Pick<GroupObservation, 'containers' | 'initContainers'>,
  { member, name }: { readonly member: 'initContainers' | 'containers'; readonly name: string },
): ObservedContainer | undefined {
  const other = member === 'containers' ? 'initContainers' : 'containers';
  return [...group[member], ...group[other]].find((container) => container.name === name);
}
