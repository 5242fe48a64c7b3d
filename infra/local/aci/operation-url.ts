import { createHash } from 'node:crypto';
import type { Operation } from './group-store.ts';
import type { ArmCall, EmulatorState } from './state.ts';

/** Headers of an answer that began an operation: its URL on the request's own host, and the request id that equals it. */
export function operationHeaders(
  state: EmulatorState,
  call: ArmCall,
  operation: Operation,
): Readonly<Record<string, string>> {
  const { subscriptionId, options } = state;
  const path = `/subscriptions/${subscriptionId}/providers/Microsoft.ContainerInstance/locations/${operation.location}/operations/${operation.id}?api-version=2018-06-01`;
  const signed = options.signedOperationUrls && call.apiVersion >= '2024';
  return {
    'Azure-AsyncOperation': `${call.request.origin}${path}${signed ? signatureOf(operation) : ''}`,
    'x-ms-request-id': `${operation.location}:${operation.id}`,
  };
}

/** Whether the query of a poll bears the signature that its URL was given out with. */
export function isSignatureIntact(state: EmulatorState, call: ArmCall, operation: Operation): boolean {
  if (!state.options.signedOperationUrls || !call.query.has('t')) return true;
  const expected = new URLSearchParams(signatureOf(operation).slice(1));
  return [...expected].every(([name, value]) => call.query.get(name) === value);
}

/** As long as the real one (over 3 kB), whose `c` is a certificate. */
function signatureOf(operation: Operation): string {
  const part = (label: string, count: number): string =>
    Array.from({ length: count }, (_, i) =>
      createHash('sha512').update(`${label}${i}${operation.id}`).digest('base64url'),
    ).join('');
  return `&t=${operation.startTime}&c=${part('c', 30)}&s=${part('s', 4)}&h=${part('h', 1)}`;
}
