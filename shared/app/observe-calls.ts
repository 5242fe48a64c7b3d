import type { CallObserver, Telemetry } from '../ports/telemetry.ts';
import { currentWork } from './current-work.ts';

/**
 * Calls of adapters as children of the work that they are made for, and their faults as a count. A call that belongs to
 * no pod (a heartbeat's, a resync's) is no span of its own: it would be a trace every few seconds that says nothing.
 */
export const observeCalls =
  (telemetry: Telemetry): CallObserver =>
  ({ port, method, action, budget }) => {
    const parent = currentWork()?.span.context;
    const span =
      parent === undefined
        ? undefined
        : telemetry.startSpan(`${port} ${action}`, {
            parent,
            kind: 'client',
            attributes: { 'http.request.method': method, port, action, budget },
          });
    return ({ status, fault }) => {
      span?.setAttributes({ 'http.response.status_code': status, fault });
      span?.end(fault === undefined || fault === 'not-found' ? {} : { fault });
      if (fault !== undefined && fault !== 'not-found')
        telemetry.measure('serverless_kubelet.faults', 1, { port, kind: fault });
    };
  };
