import type { PodKey } from '../../../../shared/wire/relay-protocol/pod-events.ts';
import type { WatchedPod } from './watched-pod.ts';

/**
 * The pods of one node, by UID: a pod that was deleted and created anew under its name within a gap is two pods, and
 * both are reported.
 */
export class PodSet {
  readonly #pods = new Map<string, WatchedPod>();

  get size(): number {
    return this.#pods.size;
  }

  /** Takes a complete list in place of all before it. Answers every pod of it, and those that are gone since. */
  replace(pods: readonly WatchedPod[]): readonly PodKey[] {
    const gone = new Map(this.#pods);
    this.#pods.clear();
    for (const pod of pods) {
      gone.delete(pod.key.uid);
      this.#pods.set(pod.key.uid, pod);
    }
    return [...pods.map(({ key }) => key), ...[...gone.values()].map(keyOfGone)];
  }

  /** Takes an added or modified pod. Answers its key unless nothing that the app acts on is new. */
  change(pod: WatchedPod): PodKey | undefined {
    const before = this.#pods.get(pod.key.uid);
    this.#pods.set(pod.key.uid, pod);
    return before?.hash === pod.hash ? undefined : pod.key;
  }

  /** Takes a deletion; the API server reports the last state with it. */
  remove(pod: WatchedPod): PodKey {
    this.#pods.delete(pod.key.uid);
    return keyOfGone(pod);
  }
}

/** Without a version: the app may know the last one, and must not take the end of the pod for an echo of its own patch. */
const keyOfGone = ({ key }: WatchedPod): PodKey => ({ ...key, resourceVersion: '' });
