/** What the tables remember of one node. */
export interface NodeRow {
  /** Last complete resync, Table service's time. */
  readonly resyncedAt: number | undefined;
  /** Unexplained orphans, by group name, with the time of first sight (DESIGN rule 4). */
  readonly orphans: Readonly<Record<string, number>>;
  /** Since when a `removed` node has been empty. */
  readonly emptySince: number | undefined;
  /** Cores and groups of the region that others use, from the last usages read. */
  readonly usage: { readonly readAt: number; readonly coresFree: number; readonly groupsFree: number } | undefined;
}

export const newNodeRow = (): NodeRow => ({
  resyncedAt: undefined,
  orphans: {},
  emptySince: undefined,
  usage: undefined,
});
