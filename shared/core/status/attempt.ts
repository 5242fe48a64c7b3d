import type { InstanceView, ObservedState } from '../group/group.ts';
import type { ContainerState, ContainerStatus } from '../kubernetes/pod.ts';
import { instantMs, wholeSeconds } from './time.ts';

/** Two reports of one run of a container: the second in which it started distinguishes them. */
export const isSameAttempt = (state: ContainerState, observed: ObservedState): boolean =>
  state.kind !== 'waiting' && state.startedAt !== undefined && state.startedAt === wholeSeconds(observed.startTime);

/**
 * Whether ACI shows another run than the one in the API object. ACI's own count cannot know: `start`, `restart` and a
 * new PUT leave it at 0 (docs/aci.md, Life of a group). A waiting container's coming run is counted already, so it is never new.
 */
export function isNewAttempt(
  previous: ContainerStatus | undefined,
  view: InstanceView,
  current: ObservedState,
): boolean {
  if (previous === undefined || previous.state.kind === 'waiting') return false;
  if (current.state === 'Waiting') return true;
  if (view.previousState !== undefined && isSameAttempt(previous.state, view.previousState))
    return !isAlreadyCounted(previous, view);
  const before = instantMs(previous.state.startedAt);
  if (before === undefined) return previous.state.kind === 'terminated' && current.state === 'Running';
  const started = instantMs(wholeSeconds(current.startTime));
  return started !== undefined && started > before && !isAlreadyCounted(previous, view);
}

/** The same, where an agent counts the runs: its count goes over all of them. */
export function isNewHeard(previous: ContainerStatus | undefined, view: InstanceView, current: ObservedState): boolean {
  if (previous === undefined || previous.state.kind === 'waiting') return false;
  return current.state === 'Waiting' || view.restartCount > previous.restartCount;
}

/** What is known as the last run is shown as the one before it. */
const isBefore = ({ previousState }: InstanceView, known: ContainerState): boolean =>
  previousState?.state === 'Terminated' && isSameAttempt(known, previousState);

/** ACI may count a restart when the run before it ends; then the count in the API object has it too. */
const isAlreadyCounted = (previous: ContainerStatus, view: InstanceView): boolean =>
  previous.state.kind === 'terminated' && previous.restartCount > 0 && view.restartCount === previous.restartCount;

/** Never falls, whatever ACI's count does. */
export function nextRestartCount(previous: ContainerStatus | undefined, view: InstanceView, isNew: boolean): number {
  const known = previous?.restartCount ?? 0;
  return Math.max(view.restartCount, isNew ? known + 1 : known);
}

/** ARM's answers may lag: a run that began before the last one written, or that goes on although its end is written, is old news. */
export function isStale(previous: ContainerStatus | undefined, view: InstanceView, current: ObservedState): boolean {
  const known = previous?.state.kind === 'waiting' ? previous.lastState : previous?.state;
  if (known === undefined || known.kind === 'waiting') return false;
  const before = instantMs(known.startedAt);
  const started = instantMs(wholeSeconds(current.startTime));
  if (before === undefined || started === undefined) return false;
  const hasEnded = known.kind === 'terminated' && (current.state === 'Running' || previous?.state.kind === 'waiting');
  return started < before || (hasEnded && started === before && !isBefore(view, known));
}
