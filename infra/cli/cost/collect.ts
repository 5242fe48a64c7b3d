import { ok } from '../../../shared/core/fault.ts';
import type { Fault, Result } from '../../../shared/core/fault.ts';
import type { NodeKey } from '../../../shared/core/node/node-key.ts';
import { usageOfRow } from '../../../shared/core/usage/usage.ts';
import type { UsageRecord } from '../../../shared/core/usage/usage.ts';
import type { StateStore } from '../../../shared/ports/state-store.ts';
import type { Window } from './window.ts';

/** What was used, and what runs now. */
export interface CollectedUsage {
  /** Of pods that are gone, from the ledger, and of those that have a row still, to now. */
  readonly records: readonly UsageRecord[];
  /** The records of groups that have not ended. */
  readonly running: readonly UsageRecord[];
}

/**
 * All usage of these nodes that touches the window: complete, or the fault that kept it from being so. A pod is in
 * its row or in the ledger, never in both: the rows are read first, so that one that moves meanwhile may count twice in
 * the lists, and is then dropped from the rows' part.
 */
export async function collectUsage(
  store: StateStore,
  nodes: readonly NodeKey[],
  { from, to, now }: Window & { readonly now: number },
): Promise<Result<CollectedUsage>> {
  const parts: CollectedUsage[] = [];
  for (const node of nodes) {
    const part = await nodeUsage(store, node, { from, to, now });
    if (!part.ok) return part;
    parts.push(part.value);
  }
  return ok({
    records: parts.flatMap(({ records }) => records),
    running: parts.flatMap(({ running }) => running),
  });
}

async function nodeUsage(
  store: StateStore,
  node: NodeKey,
  { from, to, now }: Window & { readonly now: number },
): Promise<Result<CollectedUsage>> {
  const rows = await store.listPods(node);
  if (!rows.ok) return rows;
  const ledger = await store.listUsage(node, { from, to });
  if (!ledger.ok) return ledger;
  const closed = new Set(ledger.value.map(({ uid }) => uid));
  const live = rows.value.map(({ value }) => value).filter(({ uid }) => !closed.has(uid));
  const ofRows = live.flatMap((row) => usageOfRow(node, row, now));
  const running = live.flatMap((row) => {
    const isOver = row.usage?.endedAt !== undefined || row.intent.kind === 'deleted';
    const last = usageOfRow(node, row, now).at(-1);
    return isOver || last === undefined || last.endedAt < Math.round(now) ? [] : [last];
  });
  return ok({ records: [...ledger.value, ...ofRows], running });
}

/** A sentence for what went wrong, with the right that is missing. */
export const usageFix = (fault: Fault): string =>
  fault.kind === 'denied'
    ? 'you need the role Storage Table Data Reader on the storage account; log in with az login'
    : 'run it again; where the storage account is private, from its network';
