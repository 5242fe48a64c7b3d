import { describeFault } from '../../../shared/core/fault.ts';
import type { Fault } from '../../../shared/core/fault.ts';
import { unreadable } from './observed.ts';
import type { Unreadable } from './observed.ts';

/** What helps where there is no login; the same words wherever Azure is asked. */
export const signIn = 'Sign in with az login, as somebody who may read this installation.';

/** The credential chain reports each of its links; all of it means one thing. */
export const isNoLogin = (fault: Fault): boolean =>
  /AuthenticationError|CredentialUnavailable|AADSTS/.test(describeFault(fault));

/** Why something could not be read, as one sentence for a person. */
export function faultReason(fault: Fault): string {
  if (isNoLogin(fault)) return 'There is no Azure login here, or it has expired: run az login.';
  const text = describeFault(fault);
  return text.endsWith('.') ? text : `${text}.`;
}

/** As {@link faultReason}, as part of a sentence that goes on. */
export const faultClause = (fault: Fault): string => faultReason(fault).replace(/\.$/, '');

/** A part that a fault kept from being read, with what helps where the fault says. */
export const unreadableBy = (fault: Fault): Unreadable =>
  isNoLogin(fault) ? unreadable(faultReason(fault), signIn) : unreadable(faultReason(fault));
