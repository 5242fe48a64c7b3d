import type { Fault } from '../core/fault.ts';
import type { TraceContext } from '../core/telemetry/traceparent.ts';
import { withWork } from './current-work.ts';
import type { Deps, NodeDeps } from './deps.ts';
import { reconcilePod } from './reconcile-pod.ts';
import type { PodToReconcile, ReconcileOutcome } from './reconcile-pod.ts';

/** Which pod, and the trace of the relay's event that asks for it; without one the reconcile begins a trace. */
export interface TracedPod extends PodToReconcile {
  readonly parent?: TraceContext;
}

/**
 * `reconcilePod` as one span, `pod.reconcile`. It is kept when an effect was performed or a fault met; a poll that
 * changed nothing is dropped with all its calls, so that a thousand pods at rest say nothing.
 */
export async function traceReconcile(
  deps: Deps,
  node: NodeDeps,
  { parent, ...pod }: TracedPod,
  signal: AbortSignal,
): Promise<ReconcileOutcome> {
  const span = deps.telemetry.startSpan('pod.reconcile', {
    parent,
    kind: 'server',
    attributes: {
      'k8s.cluster.uid': node.key.cluster,
      'k8s.node.name': node.key.node,
      'k8s.namespace.name': pod.ref.namespace,
      'k8s.pod.name': pod.ref.name,
      'k8s.pod.uid': pod.ref.uid,
      trigger: pod.heard !== undefined ? 'report' : parent === undefined ? 'sweep' : 'event',
    },
  });
  const work = { span, reasons: new Set<string>(), effects: new Set<string>() };
  try {
    const outcome = await withWork(work, () => reconcilePod(deps, node, pod, signal));
    const fault = outcome.kind === 'failed' ? outcome.fault : undefined;
    span.setAttributes({
      outcome: outcome.kind,
      reason: [...work.reasons].join(' '),
      effects: [...work.effects].join(' '),
      fault: fault?.kind,
    });
    span.end(fault === undefined ? { isDropped: work.effects.size === 0 } : { fault: codeOf(fault) });
    return outcome;
  } catch (error) {
    span.end({ fault: 'bug' });
    throw error;
  }
}

/** Not the message: it is the server's, and may quote what was sent. */
const codeOf = (fault: Fault): string => ('code' in fault && fault.code !== '' ? fault.code : fault.kind);
