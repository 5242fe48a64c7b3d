import { describeFault } from '../fault.ts';
import type { Fault } from '../fault.ts';

/** A registry does not say what an image is. A fault's message names the registry and what it answered. */
export interface PullFault {
  readonly image: string;
  readonly fault: Fault;
}

/** A kubelet's waiting reason meanwhile. */
export interface LookUpTrouble {
  readonly reason: 'ErrImagePull' | 'ImagePullBackOff';
  readonly message: string;
}

export const pullMessage = ({ image, fault }: PullFault): string =>
  `failed to pull image "${image}": ${describeFault(fault)}`;

/** As a kubelet: the first time the fault itself, from then on that it is waited for. */
export function lookUpTrouble(pull: PullFault, isRepeated: boolean): LookUpTrouble {
  const message = pullMessage(pull);
  return isRepeated
    ? { reason: 'ImagePullBackOff', message: `Back-off pulling image "${pull.image}": ErrImagePull: ${message}` }
    : { reason: 'ErrImagePull', message };
}
