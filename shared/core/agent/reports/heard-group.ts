import { defined } from '../../defined.ts';
import type { GroupObservation, InstanceView, ObservedContainer, ObservedState } from '../../group/group.ts';
import type { Pod } from '../../kubernetes/pod.ts';
import { hasSidecars } from '../../pod/sidecars.ts';
import { viewOfStatus } from '../../status/view-of-status.ts';
import { instantMs, isAtOrAfter, wholeSecond } from '../../status/time.ts';
import { drainedGroup } from './drain.ts';
import { memoryOf } from './memory.ts';
import type { AgentMemory, HeardContainer } from './memory.ts';
import type { ProgramEnd } from './report.ts';
import type { AgentSilence } from './silence.ts';

/**
 * The group as its agents have it, where they know better than ACI (rule 17 of docs/architecture.md): which program runs
 * since when, how it ended, whether it is started and ready. ACI outranks an agent only by an end of that very run, a newer
 * start, or no group at all; its `Running` revokes nothing, since a drained container is parked and runs. `silence`: what
 * counts for an agent that was asked and is not heard. Pure; the same group for agents of another PUT.
 */
export function heardGroup(
  pod: Pod,
  group: GroupObservation,
  known: AgentMemory | undefined,
  silence: AgentSilence = 'unready',
): GroupObservation {
  const memory = memoryOf(group, known);
  if (memory === undefined) return group;
  const heard = (container: ObservedContainer): ObservedContainer => {
    const said = memory.containers[container.name];
    if (said !== undefined) return heardContainer(withKnownRuns(container, pod), said);
    if (!memory.expected.includes(container.name)) return container;
    const isGivenUp = silence === 'ready' && memory.silent?.[container.name] !== undefined;
    return isGivenUp ? unprobed(container) : unheard(container, hasSidecars(pod));
  };
  const { drain } = memory;
  return drainedGroup(
    { ...group, containers: group.containers.map(heard), initContainers: group.initContainers.map(heard) },
    drain,
  );
}

/** Of a group that was stopped ACI shows no runs: what the status knows of them stands for what ACI has shown. */
function withKnownRuns(container: ObservedContainer, { status }: Pod): ObservedContainer {
  if (container.instanceView !== undefined) return container;
  const known = [...status.initContainerStatuses, ...status.containerStatuses].find(
    ({ name }) => name === container.name,
  );
  return known === undefined ? container : { ...container, instanceView: viewOfStatus(known) };
}

/**
 * Its agent has not spoken yet: that ACI runs the agent says neither that the program is started nor that it is ready. Where
 * containers wait for each other inside, it may not run at all.
 */
function unheard(container: ObservedContainer, mayWait: boolean): ObservedContainer {
  const { instanceView: view } = container;
  if (view?.currentState?.state !== 'Running') return container;
  const waiting = { state: 'Waiting', detailStatus: '' };
  const instanceView = mayWait ? { ...view, currentState: waiting } : view;
  return { ...container, instanceView, heard: { started: false, ready: false, isFinal: false } };
}

/** Its agent is not heard for good: ACI's word that it runs is all there is. */
const unprobed = (container: ObservedContainer): ObservedContainer =>
  container.instanceView?.currentState?.state === 'Running'
    ? { ...container, heard: { started: true, ready: true, isFinal: false } }
    : container;

function heardContainer(container: ObservedContainer, said: HeardContainer): ObservedContainer {
  const { instanceView: view = noView } = container;
  const { state } = said;
  const restartCount = Math.max(view.restartCount, said.boots - 1) + state.restarts;
  const { isOutranked, ...states } = statesOf(view, said);
  const heard = isOutranked
    ? { started: false, ready: false, isFinal: false }
    : { ...defined({ waiting: state.waiting }), started: state.started, ready: state.ready, isFinal: state.final };
  return { ...container, instanceView: { ...view, restartCount, ...states }, heard };
}

const noView: InstanceView = { restartCount: 0, events: [] };

interface States {
  readonly currentState: ObservedState;
  readonly previousState?: ObservedState;
  /** ACI has the last word, and the agent none of what runs now. */
  readonly isOutranked: boolean;
}

function statesOf(view: InstanceView, { state, sentAt }: HeardContainer): States {
  const before = state.lastEnded && { previousState: endState(state.lastEnded) };
  switch (state.phase) {
    case 'running': {
      const startedAt = state.startedAt ?? sentAt;
      const currentState = { state: 'Running', startTime: instant(startedAt), detailStatus: '' };
      const said = { saidAt: startedAt, startedAt, lastEnded: state.lastEnded };
      return outranking(view, said) ?? { currentState, ...before, isOutranked: false };
    }
    case 'waiting': {
      const said = { saidAt: sentAt, startedAt: undefined, lastEnded: state.lastEnded };
      return outranking(view, said) ?? { currentState: waits(''), ...before, isOutranked: false };
    }
    case 'ended':
    case 'parked':
      return state.ended === undefined
        ? { currentState: waits(''), isOutranked: false }
        : { ...afterEnd(view, state.ended, state.final), ...(state.final && before) };
  }
}

const waits = (detailStatus: string): ObservedState => ({ state: 'Waiting', detailStatus });

function afterEnd(view: InstanceView, ended: ProgramEnd, isFinal: boolean): States {
  const { currentState: current, previousState: previous } = view;
  const isNewer = (state: ObservedState | undefined): boolean =>
    startOf(state) > (ended.startedAt ?? ended.finishedAt) + skewMs;
  if (current !== undefined && (isNewer(current) || isNewer(previous)))
    return {
      currentState: current,
      ...defined({ previousState: isNewer(previous) ? previous : endState(ended) }),
      isOutranked: true,
    };
  // ACI waits before it starts the container again; and a success that is not the last word would end the pod.
  const isBetween = !isFinal && (ended.exitCode === 0 || current?.state === 'Waiting');
  if (!isBetween) return { currentState: endState(ended), isOutranked: false };
  const detailStatus = current?.state === 'Waiting' ? current.detailStatus : 'CrashLoopBackOff';
  return { currentState: waits(detailStatus), previousState: endState(ended), isOutranked: false };
}

/** What an agent's last word is about. */
interface Said {
  readonly saidAt: number;
  /** Of the run; undefined: the program did not run. */
  readonly startedAt: number | undefined;
  /** The end of the run before it, which is no news. */
  readonly lastEnded: ProgramEnd | undefined;
}

/**
 * What ACI shows, where that is later than the agent's last word: the end of that very run, whose agent had no time to report
 * it, or a newer start.
 */
function outranking(view: InstanceView, said: Said): States | undefined {
  const { currentState: current, previousState: previous } = view;
  if (current === undefined) return undefined;
  if (isNewsOfEnd(current, said))
    return { ...defined({ previousState: previous }), currentState: ofRun(current, said), isOutranked: true };
  const end = previous !== undefined && isNewsOfEnd(previous, said) ? ofRun(previous, said) : undefined;
  const isBetween = current.state === 'Waiting' && end !== undefined;
  if (!isBetween && !isNewerStart(current, said)) return undefined;
  return { currentState: current, ...defined({ previousState: end ?? previous }), isOutranked: true };
}

/** ACI's clock and the container's may differ; an agent that starts again soon speaks for itself. */
const skewMs = 10_000;

const startOf = (state: ObservedState | undefined): number => instantMs(state?.startTime) ?? 0;

const isNewerStart = (current: ObservedState, { saidAt }: Said): boolean =>
  current.state === 'Running' && startOf(current) > saidAt + skewMs;

/** The end of the agent's run, with its start; that of a later one as it is. */
const ofRun = (state: ObservedState, { startedAt }: Said): ObservedState =>
  startedAt === undefined || startOf(state) > startedAt + skewMs ? state : { ...state, startTime: instant(startedAt) };

function isNewsOfEnd({ state, finishTime }: ObservedState, { saidAt, lastEnded }: Said): boolean {
  const at = state === 'Terminated' ? instantMs(finishTime) : undefined;
  if (at === undefined || !isAtOrAfter(at, saidAt)) return false;
  return lastEnded === undefined || wholeSecond(lastEnded.finishedAt) !== wholeSecond(at);
}

const instant = (ms: number): string => new Date(ms).toISOString();

const endState = ({ exitCode, reason, message, startedAt, finishedAt }: ProgramEnd): ObservedState => ({
  state: 'Terminated',
  exitCode,
  finishTime: instant(finishedAt),
  ...defined({ startTime: startedAt === undefined ? undefined : instant(startedAt) }),
  detailStatus: '',
  reported: { reason, ...defined({ message }) },
});
