import { fail, ok } from '../../../shared/core/fault.ts';
import type { Fault, Result } from '../../../shared/core/fault.ts';
import type { StatusResult, StatusError } from './api-server/status-error.ts';

/** What the Kubernetes adapter makes of the same refusal when it comes over HTTP. */
export function faultOf({ code, reason, message }: StatusError): Fault {
  switch (code) {
    case 401:
    case 403:
      return { kind: 'denied', code: reason, message };
    case 404:
      return { kind: 'not-found', code: reason, message };
    case 409:
    case 410:
      return { kind: 'conflict', code: reason, message };
    default:
      return code < 500 ? { kind: 'rejected', code: reason, message } : { kind: 'transient', message };
  }
}

/** An outcome as a port reports it; `read` gives undefined for what is not the kind that was asked for, which is a bug here. */
export function resultOf<T, R>(outcome: StatusResult<T>, read: (value: T) => R | undefined): Result<R> {
  if (!outcome.ok) return fail(faultOf(outcome.refusal));
  const value = read(outcome.value);
  if (value === undefined) throw new Error('the object is not of the kind under which it is stored');
  return ok(value);
}
