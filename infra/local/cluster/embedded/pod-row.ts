/** READY, STATUS and RESTARTS of a pod, as `kubectl get pods` shows them. */
import {
  isDeleting,
  numberAt,
  objectAt,
  objectsAt,
  specOf,
  statusOf,
  textAt,
} from '../../sim/api-server/json-access.ts';
import type { JsonObject } from '../../../../shared/core/json.ts';

export interface PodRow {
  readonly ready: string;
  readonly status: string;
  readonly restarts: string;
}

export function podRow(pod: JsonObject): PodRow {
  const statuses = objectsAt(statusOf(pod), 'containerStatuses');
  const ready = statuses.filter((one) => one['ready'] === true).length;
  const restarts = statuses.reduce((total, one) => total + (numberAt(one, 'restartCount') ?? 0), 0);
  return {
    ready: `${ready}/${objectsAt(specOf(pod), 'containers').length}`,
    status: isDeleting(pod) ? 'Terminating' : (initReason(pod) ?? mainReason(statuses) ?? podReason(pod)),
    restarts: String(restarts),
  };
}

const podReason = (pod: JsonObject): string => textAt(statusOf(pod), 'reason') || textAt(statusOf(pod), 'phase');

/** What an init container that is not over is at. */
function initReason(pod: JsonObject): string | undefined {
  const all = objectsAt(statusOf(pod), 'initContainerStatuses');
  const index = all.findIndex((one) => {
    const { terminated } = objectAt(one, 'state');
    const isOver =
      terminated !== undefined &&
      terminated !== null &&
      numberAt(objectAt(objectAt(one, 'state'), 'terminated'), 'exitCode') === 0;
    return !isOver && one['started'] !== true;
  });
  const current = all[index];
  if (current === undefined) return undefined;
  const reason = stateReason(current);
  return reason === undefined || reason === 'PodInitializing' || reason === 'Running'
    ? `Init:${index}/${all.length}`
    : `Init:${reason}`;
}

/** The last container that has something to say. */
function mainReason(statuses: readonly JsonObject[]): string | undefined {
  const reasons = statuses.map(stateReason).filter((reason) => reason !== undefined && reason !== 'Running');
  const isRunning = statuses.some((one) => stateReason(one) === 'Running' && one['ready'] === true);
  const [first] = reasons;
  return first === 'Completed' && isRunning ? 'Running' : first;
}

function stateReason(status: JsonObject): string | undefined {
  const state = objectAt(status, 'state');
  const waiting = textAt(objectAt(state, 'waiting'), 'reason');
  if (waiting !== '') return waiting;
  const terminated = objectAt(state, 'terminated');
  if (state['terminated'] === undefined || state['terminated'] === null)
    return state['running'] === undefined ? undefined : 'Running';
  return textAt(terminated, 'reason') || `ExitCode:${numberAt(terminated, 'exitCode') ?? 0}`;
}
