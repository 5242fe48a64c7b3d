import type { GroupObservation, InstanceView, ObservedContainer, ObservedState } from '../group/group.ts';
import { observedContainer } from '../group/observed-container.ts';
import type { Container, ContainerState, ContainerStatus, Pod, RestartPolicy } from '../kubernetes/pod.ts';
import { isNewAttempt, isNewHeard, isSameAttempt, isStale, nextRestartCount } from './attempt.ts';
import { isFinalEnd, isSidecar, isUnknownEnd, unknownEnd } from './restart.ts';
import type { EndCause, TerminatedState } from './restart.ts';
import { nameOfPinned } from '../image/image-source.ts';
import { imageIdFromEvents, imageIdOf } from './image-id.ts';
import { withStartFailure } from './start-failure.ts';
import { isReadyRun } from './readiness.ts';
import { rfc3339, wholeSeconds } from './time.ts';
import { waitingReason } from './waiting.ts';
import type { WaitingReason } from './waiting.ts';
import { defined } from '../defined.ts';

export interface ContainerContext {
  readonly pod: Pod;
  readonly group: GroupObservation;
  readonly container: Container;
  readonly isInit: boolean;
  readonly policy: RestartPolicy;
  /** What the API object says of this container. */
  readonly previous: ContainerStatus | undefined;
  /** The pod's phase is final, so no container of it runs again. */
  readonly isTerminal: boolean;
  /** The group was stopped: its instance view is gone for good. */
  readonly isStopped: boolean;
  /** Who stopped it. */
  readonly cause: EndCause;
  readonly fallback: WaitingReason;
  /** Milliseconds. */
  readonly now: number;
}

/**
 * One container's status from what ACI shows and what the API object already says. An end that was written is never
 * taken back, and the first end that the restart policy makes final is *the* end, even if ACI ran the container again.
 */
export function observeContainer(context: ContainerContext): ContainerStatus {
  const { previous, policy } = context;
  const isSettled =
    previous !== undefined &&
    (context.isTerminal ? previous.state.kind === 'terminated' : isFinalEnd(previous.state, policy));
  if (isSettled) return withReadiness(previous, context);
  const observed = observedOf(context);
  const view = observed?.instanceView;
  const status = view?.currentState === undefined ? withoutView(context) : withView(context, view, view.currentState);
  return withReadiness(status, context);
}

/** The status of a container that will not run again: its true end if one is known, else what a kubelet writes for a lost one. */
export function endContainer(status: ContainerStatus, cause: EndCause): ContainerStatus {
  const { state, lastState } = status;
  if (state.kind === 'terminated') return status;
  const isBetweenAttempts = state.kind === 'waiting' && lastState?.kind === 'terminated';
  const startedAt = state.kind === 'running' ? state.startedAt : undefined;
  const end = isBetweenAttempts
    ? lastState
    : unknownEnd(startedAt === undefined ? 'no-start' : cause, { startedAt, containerID: status.containerID });
  return { ...status, state: end, ready: false, started: false };
}

/** A container that was never heard of. */
export const newContainerStatus = (container: Container, waiting: WaitingReason): ContainerStatus => ({
  name: container.name,
  image: container.image,
  imageID: '',
  ready: false,
  started: false,
  restartCount: 0,
  state: { kind: 'waiting', ...waiting },
});

const observedOf = ({ group, container: { name }, isInit }: ContainerContext): ObservedContainer | undefined =>
  observedContainer(group, { member: isInit ? 'initContainers' : 'containers', name });

/** A container whose run nobody will report any more. One that is to be run again and does not run now waits for that. */
export function loseContainer(status: ContainerStatus, policy: RestartPolicy, cause: EndCause): ContainerStatus {
  return policy === 'Never' || status.state.kind === 'running' ? endContainer(status, cause) : status;
}

function withoutView({ previous, container, fallback, isStopped, policy, cause }: ContainerContext): ContainerStatus {
  const known = previous ?? newContainerStatus(container, fallback);
  if (isStopped) return loseContainer(known, policy, cause);
  return known.state.kind === 'waiting' ? { ...known, state: { kind: 'waiting', ...fallback } } : known;
}

function withView(context: ContainerContext, view: InstanceView, current: ObservedState): ContainerStatus {
  const { previous, container } = context;
  const heard = observedOf(context)?.heard;
  // Where an agent starts the program again ACI's policy decides nothing, and what has ended for good was settled before.
  const policy = heard === undefined ? context.policy : 'Always';
  // Agents' words have an order of their own.
  if (heard === undefined && isBlip(context, view, current))
    return previous ?? newContainerStatus(container, context.fallback);
  const earlier = view.previousState?.state === 'Terminated' ? view.previousState : undefined;
  const isNew = heard === undefined ? isNewAttempt(previous, view, current) : isNewHeard(previous, view, current);
  const restartCount = nextRestartCount(previous, view, isNew && heard === undefined);
  const lastState = lastStateOf(context, {
    earlier: earlier && withStartFailure(earlier, view.events),
    isNew,
    restartCount,
  });
  if (lastState?.kind === 'terminated' && earlier !== undefined && isFinalEnd(lastState, policy))
    return firstEnd(context, view, lastState);
  const state = observedState(context, { view, current, restartCount, isRestart: lastState !== undefined, isNew });
  const containerID = containerIdOf(context, { state, restartCount, lastState });
  return {
    ...identity(context, view),
    ...defined({ containerID }),
    restartCount,
    state,
    ...defined({ lastState }),
  };
}

/** ACI ran a container again that had ended for good: its first end is what is reported to Kubernetes. */
function firstEnd(context: ContainerContext, view: InstanceView, state: TerminatedState): ContainerStatus {
  const { containerID } = state;
  const restartCount = Math.max(context.previous?.restartCount ?? 0, view.restartCount - 1);
  return { ...identity(context, view), ...defined({ containerID }), restartCount, state };
}

/** The image is the one that the group was made with, though the spec's may have been changed since. */
function identity(context: ContainerContext, view: InstanceView): Omit<ContainerStatus, 'state' | 'restartCount'> {
  const { name, image } = context.container;
  const { previous } = context;
  const runs = observedOf(context)?.image || image;
  const imageID = imageIdFromEvents(view.events) ?? imageIdOf(runs) ?? previous?.imageID ?? '';
  return { name, image: nameOfPinned(runs, [previous?.image ?? '', image]), imageID, ready: false, started: false };
}

/**
 * A poll that says nothing new: a state nobody knows, an answer older than what is written, or, under `Never`, a running
 * container that is suddenly waiting with no trace of an end: it is being moved, not restarted.
 */
function isBlip({ previous, policy }: ContainerContext, view: InstanceView, current: ObservedState): boolean {
  if (!isKnownState(current.state) || isStale(previous, view, current)) return previous !== undefined;
  return (
    policy === 'Never' &&
    previous?.state.kind === 'running' &&
    current.state === 'Waiting' &&
    view.previousState === undefined &&
    view.restartCount <= previous.restartCount
  );
}

const isKnownState = (state: string): boolean => state === 'Waiting' || state === 'Running' || state === 'Terminated';

interface Seen {
  readonly view: InstanceView;
  readonly current: ObservedState;
  readonly restartCount: number;
  readonly isRestart: boolean;
  readonly isNew: boolean;
}

function observedState(
  context: ContainerContext,
  { view, current, restartCount, isRestart, isNew }: Seen,
): ContainerState {
  const { previous, pod, container, fallback } = context;
  switch (current.state) {
    case 'Running': {
      const known = previous?.state.kind === 'running' && !isNew ? previous.state.startedAt : rfc3339(context.now);
      return { kind: 'running', startedAt: wholeSeconds(current.startTime) ?? known };
    }
    case 'Terminated':
      if (
        previous?.state.kind === 'terminated' &&
        isSameAttempt(previous.state, current) &&
        !isUnknownEnd(previous.state)
      )
        return previous.state;
      return terminatedState(
        withStartFailure(current, view.events),
        attemptId(context, restartCount),
        isNew ? undefined : knownStart(previous),
      );
    default: {
      const said = observedOf(context)?.heard?.waiting;
      if (said !== undefined) return { kind: 'waiting', ...said };
      const detailStatus = current.detailStatus;
      return {
        kind: 'waiting',
        ...waitingReason({ pod, container: container.name, detailStatus, events: view.events, isRestart, fallback }),
      };
    }
  }
}

function lastStateOf(
  context: ContainerContext,
  { earlier, isNew, restartCount }: { earlier: ObservedState | undefined; isNew: boolean; restartCount: number },
): ContainerState | undefined {
  const { previous } = context;
  if (earlier !== undefined) {
    const known = [previous?.state, previous?.lastState].find(
      (state) => state !== undefined && isSameAttempt(state, earlier),
    );
    if (known?.kind === 'terminated') return known;
    const id = known?.kind === 'running' ? previous?.containerID : undefined;
    return terminatedState(earlier, id ?? attemptId(context, Math.max(0, restartCount - 1)));
  }
  if (!isNew || previous === undefined || previous.state.kind === 'waiting') return previous?.lastState;
  if (previous.state.kind === 'terminated') return previous.state;
  return unknownEnd('newer-run', { startedAt: previous.state.startedAt, containerID: previous.containerID });
}

const knownStart = (previous: ContainerStatus | undefined): string | undefined =>
  previous === undefined || previous.state.kind === 'waiting' ? undefined : previous.state.startedAt;

/** An end as ACI reports it. One without an exit code is nobody's invention: it is an unknown end. */
function terminatedState(ended: ObservedState, containerID: string, knownStart?: string): TerminatedState {
  const startedAt = wholeSeconds(ended.startTime) ?? knownStart;
  if (ended.exitCode === undefined) return unknownEnd('no-code', { startedAt, containerID });
  const finishedAt = wholeSeconds(ended.finishTime);
  return {
    kind: 'terminated',
    exitCode: ended.exitCode,
    ...(ended.reported ?? endReason(ended.exitCode, ended.detailStatus)),
    ...defined({ startedAt, finishedAt }),
    containerID,
  };
}

const otherEndReasons: ReadonlySet<string> = new Set(['OOMKilled', 'ContainerCannotRun', 'StartError']);

function endReason(exitCode: number, detailStatus: string): { reason: string; message?: string } {
  const [word = ''] = /^[A-Za-z]+/.exec(detailStatus) ?? [];
  const fallback = exitCode === 0 ? 'Completed' : 'Error';
  const reason = exitCode !== 0 && otherEndReasons.has(word) ? word : fallback;
  const message = detailStatus.slice(word.length).replace(/^[:\s]+/, '');
  const isPlain = word === '' || word === reason || word === 'Completed' || word === 'Error';
  if (!isPlain) return { reason, message: detailStatus };
  return message === '' ? { reason } : { reason, message };
}

function containerIdOf(
  context: ContainerContext,
  {
    state,
    restartCount,
    lastState,
  }: { state: ContainerState; restartCount: number; lastState: ContainerState | undefined },
): string | undefined {
  if (state.kind !== 'waiting') return attemptId(context, restartCount);
  return lastState?.kind === 'terminated'
    ? (lastState.containerID ?? context.previous?.containerID)
    : context.previous?.containerID;
}

/** Changes with each attempt, so that a restart is seen by tools that compare ids. */
const attemptId = ({ group, container }: ContainerContext, attempt: number): string =>
  `aci://${group.name}/${container.name}/${String(attempt)}`;

/** An init container is ready when it has succeeded. */
function withReadiness(status: ContainerStatus, context: ContainerContext): ContainerStatus {
  const { pod, isInit, container } = context;
  const isRunning = status.state.kind === 'running';
  const heard = isRunning ? observedOf(context)?.heard : undefined;
  if (heard !== undefined) return { ...status, ready: heard.ready, started: heard.started };
  const hasSucceeded = status.state.kind === 'terminated' && status.state.exitCode === 0;
  const isReady = isInit && !isSidecar(container) ? hasSucceeded : isReadyRun(pod, status);
  return { ...status, ready: isReady, started: isRunning };
}
