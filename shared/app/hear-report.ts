import { describeFault, ok } from '../core/fault.ts';
import type { Fault, Result } from '../core/fault.ts';
import { isSameKey } from '../core/agent/access.ts';
import { hear } from '../core/agent/reports/memory.ts';
import type { PodRow } from '../core/reconcile/pod-row.ts';
import { markDirty } from '../core/reconcile/work-needed.ts';
import type { Versioned } from '../ports/state-store.ts';
import type { SignedReport } from '../wire/agent-protocol/report.ts';
import type { Deps, NodeDeps } from './deps.ts';
import { recordAgentEvents } from './record-agent-events.ts';
import { traceReconcile } from './trace-reconcile.ts';

/** What became of a report whose signature is right. */
export type Heard =
  /** It is in the row, and in the status or about to be; or a later one was there already. */
  | { readonly kind: 'heard' }
  /** It is of another PUT than the one that made the pod's group: it is never heard. */
  | { readonly kind: 'of-another-group' }
  /** Nobody knows of agents in a group of this pod, or not yet. */
  | { readonly kind: 'unknown-pod' }
  /** Nothing was written, or not all of it: it is to be sent again. */
  | { readonly kind: 'unavailable'; readonly fault: Fault };

/** How often somebody else may write the row meanwhile. */
const mostConflicts = 5;
/** Whoever works on the pod is waited for so often; then the row is due, and the next run finds it. */
const mostBusy = 20;
const busyPauseMs = 250;

/**
 * Takes what an agent said into the pod's row, and from there into its status, without a read of ARM where that is enough.
 * Idempotent: a report that comes twice, late or not in order changes nothing (rule 17 of docs/architecture.md). What is
 * answered with `heard` survives a crash at any point: it is in the row, which is due until somebody has acted on it.
 */
export async function hearReport(
  deps: Deps,
  node: NodeDeps,
  report: SignedReport,
  signal: AbortSignal,
): Promise<Heard> {
  const merged = await merge(deps, node, report);
  if (!merged.ok) return { kind: 'unavailable', fault: merged.fault };
  if (merged.value.kind === 'no') return { kind: merged.value.why };
  const { row, news } = merged.value;
  const [events] = await Promise.all([
    recordAgentEvents(node, row, report, signal),
    news === undefined ? undefined : act(deps, node, news, signal),
  ]);
  return events.ok ? { kind: 'heard' } : { kind: 'unavailable', fault: events.fault };
}

type Merged =
  | { readonly kind: 'no'; readonly why: 'of-another-group' | 'unknown-pod' }
  /** `news`: what it changed; undefined: nothing. */
  | { readonly kind: 'yes'; readonly row: PodRow; readonly news: News | undefined };

interface News {
  /** The row as it is since. */
  readonly written: Versioned<PodRow>;
  readonly heard: { readonly plannedAt: number | undefined };
}

async function merge(deps: Deps, node: NodeDeps, report: SignedReport): Promise<Result<Merged>> {
  for (let attempt = 0; ; attempt += 1) {
    const now = await deps.store.now();
    if (!now.ok) return now;
    const found = await deps.store.getPod(node.key, report.podUid);
    if (!found.ok) return found;
    const change = changeOf(found.value, report, now.value);
    if ('kind' in change) return ok(change);
    const written = await deps.store.upsertPod(node.key, change.row, { previous: found.value });
    const { heard } = change;
    if (written.ok) return ok({ kind: 'yes', row: written.value.value, news: { written: written.value, heard } });
    if (written.fault.kind !== 'conflict' || attempt === mostConflicts) return written;
  }
}

interface Change {
  readonly row: PodRow;
  readonly heard: { readonly plannedAt: number | undefined };
}

/** The row with the report's words, due for them; whoever holds its lock looks once more when it lets go. */
function changeOf(found: Versioned<PodRow> | undefined, report: SignedReport, now: number): Change | Merged {
  const row = found?.value;
  if (row?.agent === undefined || row.intent.kind === 'deleted') return { kind: 'no', why: 'unknown-pod' };
  if (!isSameKey(row.agent.key, report)) return { kind: 'no', why: 'of-another-group' };
  if (report.container === '') return { kind: 'yes', row, news: undefined };
  const agent = hear(row.agent, report, Math.max(row.agent.expected.length, 1));
  if (agent === undefined) return { kind: 'yes', row, news: undefined };
  const isLocked = row.lock !== undefined && row.lock.until > now;
  const due = isLocked ? markDirty(row, '') : { dueAt: now };
  return { row: { ...row, agent, ...due }, heard: { plannedAt: row.dueAt } };
}

/** What can't be done now is done by the run that finds the row due. The row is read again only where somebody else had it. */
async function act(deps: Deps, node: NodeDeps, { written, heard }: News, signal: AbortSignal): Promise<void> {
  const { namespace, name, uid } = written.value;
  for (let attempt = 0; attempt < mostBusy && !signal.aborted; attempt += 1) {
    const row = attempt === 0 && written.value.lock === undefined ? written : undefined;
    const outcome = await traceReconcile(deps, node, { ref: { namespace, name, uid }, heard, row }, signal);
    if (outcome.kind === 'failed')
      deps.log.warn('report could not be acted on at once', { uid, pod: name, fault: describeFault(outcome.fault) });
    if (outcome.kind !== 'busy') return;
    await deps.clock.sleep(busyPauseMs);
  }
}
