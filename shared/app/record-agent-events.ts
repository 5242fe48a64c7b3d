import { defined } from '../core/defined.ts';
import { ok } from '../core/fault.ts';
import type { Fault, Result } from '../core/fault.ts';
import type { AgentEvent } from '../core/agent/reports/report.ts';
import type { KubeEvent } from '../core/kubernetes/event.ts';
import { containersOf, fieldPath } from '../core/pod-events/pod-event.ts';
import type { PodRow } from '../core/reconcile/pod-row.ts';
import type { SignedReport } from '../wire/agent-protocol/report.ts';
import type { NodeDeps } from './deps.ts';

/**
 * Writes the events of a report as events of its pod, and of nothing else. Idempotent: boot, container and number name an
 * event, and its count is absolute. A pod that is gone has none; what the API server refuses for good is left.
 */
export async function recordAgentEvents(
  { api }: Pick<NodeDeps, 'api'>,
  row: PodRow,
  report: SignedReport,
  signal: AbortSignal,
): Promise<Result<void>> {
  if (report.events.length === 0) return ok(undefined);
  const pod = await api.getPod(row, signal);
  if (!pod.ok) return pod;
  if (pod.value?.metadata.uid !== row.uid) return ok(undefined);
  const container = containersOf(pod.value).find(({ name }) => name === report.container);
  const involved = {
    kind: 'Pod',
    namespace: row.namespace,
    name: row.name,
    uid: row.uid,
    ...defined({ fieldPath: container && fieldPath(container) }),
  } as const;
  const written = await Promise.all(report.events.map((event) => write(api, eventOf(event, report, involved), signal)));
  return written.find((one) => !one.ok && mayPass.has(one.fault.kind)) ?? ok(undefined);
}

const mayPass: ReadonlySet<Fault['kind']> = new Set(['transient', 'throttled']);

const eventOf = (
  { n, type, reason, message, count, lastAt }: AgentEvent,
  { podUid, container, bootId }: SignedReport,
  involved: KubeEvent['involved'],
): KubeEvent => ({
  involved,
  type,
  reason,
  message,
  at: new Date(lastAt).toISOString(),
  dedupeKey: `${podUid}/${container}/${bootId}/${n}`,
  count,
});

/** What has happened before is counted on, and made anew where the API server has dropped it. */
async function write(api: NodeDeps['api'], event: KubeEvent, signal: AbortSignal): Promise<Result<void>> {
  if ((event.count ?? 1) > 1) {
    const repeated = await api.repeatEvent(event, signal);
    if (repeated.ok || repeated.fault.kind !== 'not-found') return repeated;
  }
  return api.createEvent(event, signal);
}
