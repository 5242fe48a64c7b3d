import { imagesMeant } from '../image/pull-words.ts';
import type { Pod } from '../kubernetes/pod.ts';
import { pullBackOff, pullFault } from './container-events.ts';
import { containersOf } from './pod-event.ts';
import type { ContainerRef, NamedContainer, PodEvent } from './pod-event.ts';
import { podEvents, reasonEvent } from './table.ts';

/** Why a pod waits that has no group. */
export interface Trouble {
  readonly reason: string;
  readonly message: string;
  /** The one that it is about, where it is one. */
  readonly container?: ContainerRef | undefined;
}

/** In the words of a kubelet where it knows such a trouble, else by its own reason. */
export function troubleEvents(pod: Pod, trouble: Trouble): readonly PodEvent[] {
  const { reason, message } = trouble;
  const container = concerned(pod, trouble);
  if (reason === 'FailedMount') return [podEvents.failedMount.of(message)];
  if (container === undefined) return [reasonEvent(trouble)];
  switch (reason) {
    case 'ErrImagePull':
      return pullFault(container, message);
    case 'ImagePullBackOff':
      return [...pullFault(container, message), ...pullBackOff(container)];
    case 'CreateContainerConfigError':
      return [podEvents.failed.of(container, message)];
    case 'InvalidImageName':
      return [podEvents.inspectFailed.of(container, message), podEvents.failed.of(container, reason)];
    case 'ErrImageNeverPull':
      return [podEvents.neverPulled.of(container, message), podEvents.failed.of(container, reason)];
    default:
      return [reasonEvent(trouble)];
  }
}

/** The container that is named, else the first that ARM's words may be about; else the first. */
function concerned(pod: Pod, { container, message }: Trouble): NamedContainer | undefined {
  const all = containersOf(pod);
  const named = all.find(({ member, name }) => member === container?.member && name === container.name);
  if (named !== undefined) return named;
  const [meant] = imagesMeant(
    all.map(({ image }) => image),
    message,
  );
  return all.find(({ image }) => image === meant) ?? all[0];
}
