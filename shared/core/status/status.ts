/** Everything that the reconcile needs to say of a pod, in one door. */
export { deadlineExceededMessage, deadlineStatus, deletedStatus, lostStatus, rejectedStatus } from './final-status.ts';
export { groupCondition, hasEnded, isProvisioned, isTransitioning, showsEnd } from './group-condition.ts';
export { pendingStatus } from './pending-status.ts';
export { relaySilence, withRelaySilence } from './relay-silence.ts';
export type { RelaySilence } from './relay-silence.ts';
export { correctedStatus, podStatusFromGroup } from './pod-status.ts';
export { provisioningFault } from './provisioning-fault.ts';
export { statusToWrite } from './status-change.ts';
export { wantedTails, withTails } from './termination-message.ts';
export type { LogTails } from './termination-message.ts';
