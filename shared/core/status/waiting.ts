import type { GroupEvent } from '../group/group.ts';
import type { Pod } from '../kubernetes/pod.ts';
import { instantMs } from './time.ts';

export interface WaitingReason {
  readonly reason: string;
  readonly message?: string;
}

/** Waiting reasons of a kubelet that name a fault; any other word of ACI's becomes the message. */
const faultReasons: ReadonlySet<string> = new Set([
  'CrashLoopBackOff',
  'ErrImagePull',
  'ImagePullBackOff',
  'ErrImageNeverPull',
  'InvalidImageName',
  'ImageInspectError',
  'RegistryUnavailable',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
]);

/** What a container waits for before anything is known of it. */
export const initialReason = (pod: Pod): WaitingReason => ({
  reason: pod.spec.initContainers.length > 0 ? 'PodInitializing' : 'ContainerCreating',
});

interface Waiting {
  readonly pod: Pod;
  readonly container: string;
  readonly detailStatus: string;
  readonly events: readonly GroupEvent[];
  /** It ran before and is to run again. */
  readonly isRestart: boolean;
  readonly fallback: WaitingReason;
}

/** Why ACI shows a container as `Waiting`, in the kubelet's words: its detail first, then its newest event, then the fallback. */
export function waitingReason(waiting: Waiting): WaitingReason {
  const [, word = '', rest = ''] = /^([A-Z][A-Za-z]+)(?::\s*(.*))?$/s.exec(waiting.detailStatus.trim()) ?? [];
  if (word === 'CrashLoopBackOff') return crashLoop(waiting, rest);
  if (faultReasons.has(word)) return rest === '' ? { reason: word } : { reason: word, message: rest };
  const fromEvents = reasonFromEvents(waiting);
  if (fromEvents !== undefined) return fromEvents;
  if (waiting.isRestart) return crashLoop(waiting, waiting.detailStatus);
  const isNews = waiting.detailStatus !== '' && word !== 'ContainerCreating' && word !== 'PodInitializing';
  return isNews && waiting.fallback.message === undefined
    ? { ...waiting.fallback, message: waiting.detailStatus }
    : waiting.fallback;
}

function crashLoop({ pod, container }: Waiting, detail: string): WaitingReason {
  const [duration] = /\d+[hms]\S*/.exec(detail) ?? [];
  const { name, namespace, uid } = pod.metadata;
  const backOff = duration === undefined ? 'back-off' : `back-off ${duration}`;
  return {
    reason: 'CrashLoopBackOff',
    message: `${backOff} restarting failed container=${container} pod=${name}_${namespace}(${uid})`,
  };
}

/** At one instant, a success outweighs a back-off, which outweighs the failure that caused it. */
const weights: Readonly<Record<string, number>> = { Started: 3, Pulled: 2, BackOff: 1, Failed: 0 };

/** `Pulling` says nothing: the next try of an image that could not be pulled is still the same trouble. */
function reasonFromEvents(waiting: Waiting): WaitingReason | undefined {
  const [newest] = waiting.events
    .filter((event) => Object.hasOwn(weights, event.name))
    .map((event) => ({ event, at: instantMs(event.lastTimestamp) ?? 0, weight: weights[event.name] ?? 0 }))
    .sort((a, b) => b.at - a.at || b.weight - a.weight);
  if (newest === undefined) return undefined;
  const { name, message } = newest.event;
  const isPull = /pull/i.test(message);
  if (name === 'BackOff') return isPull ? { reason: 'ImagePullBackOff', message } : crashLoop(waiting, message);
  if (name === 'Failed') return { reason: isPull ? 'ErrImagePull' : 'RunContainerError', message };
  return undefined;
}
