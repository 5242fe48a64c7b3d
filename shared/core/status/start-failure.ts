import type { GroupEvent, ObservedState } from '../group/group.ts';

const pattern = /^Error: Failed to start container \S+, Error response: (?<why>.+)$/s;

/**
 * The end of a container whose program never began, with a kubelet's reason and the runtime's words: ACI has them in an event
 * (`Failed`), and in the state no more than a code.
 */
export function withStartFailure(ended: ObservedState, events: readonly GroupEvent[]): ObservedState {
  const isSilent = ended.detailStatus === '' || ended.detailStatus === 'Error';
  if (ended.startTime !== undefined || !isSilent || ended.reported !== undefined || (ended.exitCode ?? 0) === 0)
    return ended;
  const why = events
    .filter(({ name }) => name === 'Failed')
    .map(({ message }) => pattern.exec(message)?.groups?.['why'])
    .findLast((found) => found !== undefined);
  return why === undefined ? ended : { ...ended, detailStatus: `StartError: ${why}` };
}
