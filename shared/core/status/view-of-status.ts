import { defined } from '../defined.ts';
import type { InstanceView, ObservedState } from '../group/group.ts';
import type { ContainerState, ContainerStatus } from '../kubernetes/pod.ts';

/** What the status knows of a container's runs, so that an agent's word of an earlier one changes nothing. */
export const viewOfStatus = ({ state, lastState }: ContainerStatus): InstanceView => ({
  restartCount: 0,
  currentState: observedState(state),
  ...defined({ previousState: lastState && observedState(lastState) }),
  events: [],
});

function observedState(state: ContainerState): ObservedState {
  switch (state.kind) {
    case 'waiting':
      return { state: 'Waiting', detailStatus: '' };
    case 'running':
      return { state: 'Running', startTime: state.startedAt, detailStatus: '' };
    case 'terminated': {
      const { exitCode, reason, message, startedAt, finishedAt } = state;
      const times = defined({ startTime: startedAt, finishTime: finishedAt });
      return {
        state: 'Terminated',
        exitCode,
        ...times,
        detailStatus: '',
        reported: { reason, ...defined({ message }) },
      };
    }
  }
}
