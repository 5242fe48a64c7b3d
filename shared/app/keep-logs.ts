import type { ContainerLog } from '../core/logs/kept-log.ts';
import type { Outcome } from '../core/reconcile/observed.ts';
import { tailLines } from '../core/status/termination-message.ts';
import { within } from './deps.ts';
import type { PodSession } from './pod-session.ts';

/** Reads each container's log and keeps them together; undefined when that is done. A container of which ACI has none is left out. */
export async function keepLogs(session: PodSession, containers: readonly string[]): Promise<Outcome | undefined> {
  const { deps, row, node } = session;
  const logs: ContainerLog[] = [];
  for (const container of containers) {
    const signal = session.callSignal();
    if (signal === undefined) return { kind: 'out-of-time' };
    const read = await deps.groups.listLogs({ group: row.group, container, timestamps: true }, signal);
    if (read.ok) logs.push({ container, text: read.value });
    else if (read.fault.kind !== 'not-found') return { kind: 'failed', call: 'keep-log', fault: read.fault };
  }
  // What was kept by an earlier try that is not known to have succeeded is better than nothing.
  if (logs.length === 0) return undefined;
  const signal = session.callSignal();
  if (signal === undefined) return { kind: 'out-of-time' };
  const kept = await deps.keptLogs.put({ node: node.key, group: row.group }, logs, signal);
  return kept.ok ? undefined : { kind: 'failed', call: 'keep-log', fault: kept.fault };
}

/** The status waits no longer for the end of a log. */
const tailPatienceMs = 3_000;

/** What can't be read now, or not quickly, stays unreported: nothing waits for a message. */
export async function readLogTails(session: PodSession, containers: readonly string[]): Promise<void> {
  const { deps, row } = session;
  const tails = new Map<string, string>();
  const read = async (container: string): Promise<void> => {
    const signal = session.callSignal();
    if (signal === undefined) return;
    const request = { group: row.group, container, timestamps: false, tail: tailLines };
    const log = await deps.groups.listLogs(request, within(deps, signal, tailPatienceMs));
    if (log.ok) tails.set(container, log.value);
  };
  await Promise.all(containers.map(read));
  session.logTails = tails;
}

/** Before the row goes: it alone says that a log is kept. */
export async function forgetLogs(session: PodSession): Promise<Outcome | undefined> {
  const { deps, row, node } = session;
  const signal = session.callSignal();
  if (signal === undefined) return { kind: 'out-of-time' };
  const deleted = await deps.keptLogs.delete({ node: node.key, group: row.group }, signal);
  // Where no log can be kept none is.
  if (deleted.ok || deleted.fault.kind === 'rejected') return undefined;
  return { kind: 'failed', call: 'forget', fault: deleted.fault };
}
