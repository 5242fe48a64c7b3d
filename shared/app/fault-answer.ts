import type { Fault } from '../core/fault.ts';
import { problem } from './run-http.ts';
import type { Answer } from './run-http.ts';

/** How the relay learns of a fault. */
export function faultAnswer(fault: Fault): Answer {
  switch (fault.kind) {
    case 'not-found':
      return problem(404, fault.code, fault.message);
    case 'conflict':
      return problem(409, fault.code, fault.message);
    case 'throttled':
      return problem(429, 'TooManyRequests', fault.message, {
        headers: { 'retry-after': String(Math.ceil(fault.retryAfterMs / 1000)) },
      });
    case 'rejected':
    case 'denied':
    case 'capacity':
      return problem(502, fault.code, fault.message);
    case 'transient':
      return problem(503, 'ServiceUnavailable', fault.message, { headers: { 'retry-after': '2' } });
  }
}
