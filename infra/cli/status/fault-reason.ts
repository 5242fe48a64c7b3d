import { type Fault, describeFault } from '../../../shared/core/fault.ts';

/** Why something could not be read, as one sentence for a person. */
export function faultReason(fault: Fault): string {
  const text = describeFault(fault);
  // The credential chain tells of each of its links; all of it means one thing.
  if (/AuthenticationError|CredentialUnavailable|AADSTS/.test(text))
    return 'There is no Azure login here, or it has expired: run az login.';
  return text.endsWith('.') ? text : `${text}.`;
}
