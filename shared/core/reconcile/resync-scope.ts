import type { NodeRow } from './node-row.ts';

/** `time`: whatever it is time for. `relay`: it has just listed, and deletes may have passed unseen. `orphans`: some wait to be counted. */
export type ResyncReason = 'time' | 'relay' | 'orphans';

/** `whole`: pods and groups. `pods`: the pods alone. */
export type ResyncScope = 'whole' | 'pods' | 'none';

const everyMs = 300_000;
/** Orphans that come one by one are counted together. */
const countEveryMs = 10_000;
/** A node that was polled as a whole so short a time ago need not be again because another one is. */
const freshMs = 5_000;
/** A relay that has not called for this long is taken to be down. */
const relaySilenceMs = 45_000;

/**
 * What it is time for on each node of one cluster. One whole resync takes the cluster's other nodes with it: how many
 * orphans there are can only be known over all of them at one time.
 */
export function resyncScopes(rows: readonly NodeRow[], reason: ResyncReason, now: number): readonly ResyncScope[] {
  const isOlder = (at: number | undefined, ms: number): boolean => at === undefined || now - at >= ms;
  const isWhole = rows.some(({ resyncedAt, countedAt }) => {
    if (reason === 'orphans') return isOlder(countedAt, countEveryMs);
    return reason === 'relay' || isOlder(resyncedAt, everyMs);
  });
  return rows.map(({ countedAt, relayHeardAt }) => {
    if (isWhole && (reason === 'relay' || isOlder(countedAt, freshMs))) return 'whole';
    return reason !== 'orphans' && isOlder(relayHeardAt, relaySilenceMs) ? 'pods' : 'none';
  });
}
