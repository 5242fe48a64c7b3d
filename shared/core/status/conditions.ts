import { isTerminalPhase } from '../kubernetes/pod.ts';
import type { ContainerStatus, Pod, PodCondition, PodPhase } from '../kubernetes/pod.ts';
import { isJsonObject } from '../json.ts';
import { findStatus, hasRegularStarted } from './phase.ts';
import type { ContainerStatuses } from './phase.ts';
import { isSidecar } from './restart.ts';
import { rfc3339 } from './time.ts';

interface Verdict {
  readonly status: 'True' | 'False';
  readonly reason?: string;
  readonly message?: string;
}

export interface ConditionInput {
  readonly pod: Pod;
  readonly phase: PodPhase;
  readonly statuses: ContainerStatuses;
  /** The group is up and has its network. */
  readonly isReadyToStart: boolean;
  /** Why the platform, not the pod, ended it; written only together with phase Failed. */
  readonly disruption?: string | undefined;
  /** Milliseconds. */
  readonly now: number;
}

const ownTypes: ReadonlySet<string> = new Set([
  'PodReadyToStartContainers',
  'Initialized',
  'Ready',
  'ContainersReady',
  'PodScheduled',
]);

/**
 * The kubelet's own conditions with its reasons and messages (pkg/kubelet/status/generate.go); those of others stay as they are.
 * `lastTransitionTime` moves only when `status` does.
 */
export function podConditions(input: ConditionInput): readonly PodCondition[] {
  const { pod, phase } = input;
  const foreign = pod.status.conditions.filter(({ type }) => !ownTypes.has(type));
  const containersReady = containersReadyVerdict(input);
  const scheduled = pod.status.conditions.find(({ type, status }) => type === 'PodScheduled' && status === 'True');
  return [
    ...withDisruption(input, foreign),
    condition(input, 'PodReadyToStartContainers', {
      status: input.isReadyToStart && !isTerminalPhase(phase) ? 'True' : 'False',
    }),
    condition(input, 'Initialized', initializedVerdict(input)),
    condition(input, 'Ready', containersReady.status === 'True' ? gatesVerdict(pod) : containersReady),
    condition(input, 'ContainersReady', containersReady),
    scheduled ?? condition(input, 'PodScheduled', { status: 'True' }),
  ];
}

function condition({ pod, now }: Pick<ConditionInput, 'pod' | 'now'>, type: string, verdict: Verdict): PodCondition {
  const previous = pod.status.conditions.find((candidate) => candidate.type === type);
  const since = previous?.status === verdict.status ? previous.lastTransitionTime : undefined;
  return { type, ...verdict, lastTransitionTime: since ?? rfc3339(now), observedGeneration: pod.metadata.generation };
}

function withDisruption(input: ConditionInput, foreign: readonly PodCondition[]): readonly PodCondition[] {
  const isDisrupted = foreign.some(({ type, status }) => type === 'DisruptionTarget' && status === 'True');
  if (input.disruption === undefined || input.phase !== 'Failed' || isDisrupted) return foreign;
  const verdict: Verdict = { status: 'True', reason: 'TerminationByKubelet', message: input.disruption };
  return [...foreign.filter(({ type }) => type !== 'DisruptionTarget'), condition(input, 'DisruptionTarget', verdict)];
}

function initializedVerdict({ pod, phase, statuses }: ConditionInput): Verdict {
  const { initContainers } = pod.spec;
  const unknown = initContainers.filter(
    (container) => findStatus(statuses.initContainerStatuses, container) === undefined,
  );
  if (phase === 'Succeeded' && unknown.length === 0) return { status: 'True', reason: 'PodCompleted' };
  if (hasRegularStarted(pod, statuses.containerStatuses) && wasInitialized(pod)) return { status: 'True' };
  const incomplete = initContainers.filter((container) => {
    const status = findStatus(statuses.initContainerStatuses, container);
    return status !== undefined && (isSidecar(container) ? status.started !== true : !status.ready);
  });
  const message = listing([
    ['containers with unknown status', unknown],
    ['containers with incomplete status', incomplete],
  ]);
  return message === '' ? { status: 'True' } : { status: 'False', reason: 'ContainersNotInitialized', message };
}

/** Once initialized, a pod stays so while its init containers are run again. */
const wasInitialized = (pod: Pod): boolean =>
  pod.status.conditions.some(({ type, status }) => type === 'Initialized' && status === 'True');

function containersReadyVerdict({ pod, phase, statuses }: ConditionInput): Verdict {
  const { containers, initContainers } = pod.spec;
  const watched = [...initContainers.filter(isSidecar), ...containers];
  const all: readonly ContainerStatus[] = [...statuses.initContainerStatuses, ...statuses.containerStatuses];
  const unknown = watched.filter((container) => findStatus(all, container) === undefined);
  if (phase === 'Succeeded') return { status: 'False', reason: 'PodCompleted' };
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' };
  if (statuses.containerStatuses.length === 0) return { status: 'False', reason: 'UnknownContainerStatuses' };
  const unready = watched.filter((container) => findStatus(all, container)?.ready === false);
  const message = listing([
    ['containers with unknown status', unknown],
    ['containers with unready status', unready],
  ]);
  return message === '' ? { status: 'True' } : { status: 'False', reason: 'ContainersNotReady', message };
}

function listing(parts: readonly (readonly [string, readonly { readonly name: string }[]])[]): string {
  return parts
    .filter(([, containers]) => containers.length > 0)
    .map(([words, containers]) => `${words}: [${containers.map(({ name }) => name).join(' ')}]`)
    .join(', ');
}

/** What the pod's readiness gates say of it, when its containers are ready. */
export function gatesVerdict(pod: Pod): Verdict {
  const missing = readinessGates(pod).flatMap((gate) => {
    const found = pod.status.conditions.find(({ type }) => type === gate);
    if (found === undefined) return [`corresponding condition of pod readiness gate "${gate}" does not exist.`];
    return found.status === 'True'
      ? []
      : [`the status of pod readiness gate "${gate}" is not "True", but ${found.status}`];
  });
  return missing.length === 0
    ? { status: 'True' }
    : { status: 'False', reason: 'ReadinessGatesNotReady', message: missing.join(', ') };
}

function readinessGates(pod: Pod): readonly string[] {
  const gates = pod.rawSpec.readinessGates;
  if (!Array.isArray(gates)) return [];
  return gates.flatMap((gate) =>
    isJsonObject(gate) && typeof gate.conditionType === 'string' ? [gate.conditionType] : [],
  );
}
