import { pullWait } from '../image/pull-words.ts';
import type { Pod } from '../kubernetes/pod.ts';
import { containersOf } from '../pod-events/pod-event.ts';
import type { Observed } from './observed.ts';

interface Cause {
  readonly reason: string;
  readonly message: string;
}

const reasons: ReadonlySet<string> = new Set(['ErrImagePull', 'ImagePullBackOff']);

/** Whether an image was waited for the last time, too: a kubelet is in its back-off then. */
export const waitsForPull = ({ row }: Pick<Observed, 'row'>): boolean => reasons.has(row.fault?.reason ?? '');

/** What ARM says of a pull, as a kubelet says it; any other cause as it is. */
export function inPullWords(observed: Pick<Observed, 'row'>, pod: Pod, { reason, message }: Cause): Cause {
  if (!reasons.has(reason)) return { reason, message };
  const images = containersOf(pod).map(({ image }) => image);
  return pullWait(images, message, waitsForPull(observed));
}
