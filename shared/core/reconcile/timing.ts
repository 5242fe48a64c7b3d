/** Times of the reconcile, in ms, each with its reason. */
export const timing = {
  /** A PUT whose answer was lost may still land; before this nobody PUTs again (rule 2 of docs/architecture.md). */
  openIntentMs: 60_000,
  /** Groups are only adopted while the tables are younger (docs/architecture.md, The rows). */
  birthMs: 60_000,
  /** Two reads this far apart must say 404 before an accepted group is lost: ARM's reads may lag. */
  absenceConfirmMs: 10_000,
  /** And not sooner than this after it was accepted. */
  absenceAfterAcceptMs: 30_000,
  /** One instance's term of work on one pod; every call ends before it does. */
  lockMs: 40_000,
  /** An end that an agent reported is looked up in ARM after this, twice that at most: what runs on all the same is ended. */
  settleMs: 10_000,
  /**
   * After the grace a program may still have the 2 s that a kubelet leaves it behind its hook, and its last report takes a
   * moment; then the group is ended without its agents.
   */
  drainAllowanceMs: 4_000,
  /** So much of a grace is left where the deletion is seen late; a kubelet's least (pkg/kubelet/kuberuntime). */
  leastGraceMs: 2_000,
  /** How often ends are looked up that no agent reports; and those that one should report. */
  drainPollMs: { least: 2_000, most: 15_000, reported: 60_000 },
  /** Before a word is said again of which nobody knows whether it was heard; half of the time since the first, where that is longer. */
  drainRepeatMs: 2_000,
  /** An agent that has not reported so long after its container's start is asked why. */
  agentSilenceMs: 90_000,
  /** A log that is followed is read every 2 s; the group of a drained pod stays for one more read after the last end. */
  logFollowMs: 3_000,
  /** How often a group that is being deleted is asked whether it is gone. */
  deleteConfirmMs: 2_000,
  /** A stop or DELETE that ARM has taken, and of which its GET shows nothing, is sent again after this. */
  endRepeatMs: 30_000,
  /** A stop or DELETE that was refused because the group is in transition. */
  transitionMs: 5_000,
  /** After a PUT of which nobody knows what became of it. */
  unknownPollMs: 3_000,
  /** A pod that somebody else keeps writing, and a right that may only be on its way. */
  soonMs: 1_000,
  /** An orphan that nothing explains waits so long to be counted with others like it: they may still be found. */
  orphanCountMs: 3_000,
  /** And no longer between two tries while the counting fails. */
  orphanCountLatestMs: 60_000,
  /** Too many unexplained orphans at once are kept so long from first sight: somebody may put the pods back. */
  orphanHoldMs: 600_000,
  /** A foreign group under our name: an operator must act. */
  foreignMs: 300_000,
  /** How long an end waits for a log to be kept, and how often that is tried. */
  keepLogMs: 60_000,
  keepLogRetryMs: 5_000,
  /** Before a refused pod fails that its controller would replace at once; a kubelet's longest back-off. */
  refusalHoldMs: 300_000,
  /** A Node authorizer's graph may lag behind the binding (https://kubernetes.io/docs/reference/access-authn-authz/node/). */
  authorizerLagMs: 60_000,
} as const;

export const retryPolicy = { baseMs: 2_000, maxMs: 300_000 } as const;
