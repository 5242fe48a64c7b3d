import { describeFault } from '../fault.ts';
import type { Fault } from '../fault.ts';
import { pullWait } from './pull-words.ts';
import type { PullWait } from './pull-words.ts';

/** A registry does not say what an image is. A fault's message names the registry and what it answered. */
export interface PullFault {
  readonly image: string;
  readonly fault: Fault;
}

/** The waiting reason and message meanwhile. */
export const lookUpTrouble = ({ image, fault }: PullFault, isRepeated: boolean): PullWait =>
  pullWait([image], describeFault(fault), isRepeated);
