import type { CapacityState } from '../core/budget/capacity.ts';
import { ok } from '../core/fault.ts';
import type { Result } from '../core/fault.ts';
import { isLivingPod } from '../core/kubernetes/pod.ts';
import { lacksGrant } from '../core/pod/rules/annotations.ts';
import type { GroupObservation } from '../core/group/group.ts';
import { isOwnedBy } from '../core/group/identity.ts';
import { needsPoll } from '../core/reconcile/decide.ts';
import type { GroupSight, Observed, Outcome } from '../core/reconcile/observed.ts';
import { nodeKeyText } from '../core/node/node-key.ts';
import { isFirstPutNext, needsCapacity } from '../core/reconcile/put-group.ts';
import { earliestStartMs } from '../core/reconcile/start-times.ts';
import { groupCondition, relaySilence } from '../core/status/status.ts';
import type { RelaySilence } from '../core/status/status.ts';
import { readCapacity } from './capacity-gate.ts';
import type { NodeHints } from './deps.ts';
import type { PodSession } from './pod-session.ts';
import { defined } from '../core/defined.ts';

/**
 * Gathers what one decision needs, and only reads: the group when it matters, and why it failed when it did. After an
 * outcome that must be decided upon nothing is read again.
 */
export async function observe(session: PodSession, earlier: Outcome | undefined): Promise<Observed> {
  if (session.sight.kind === 'unread') session.sightAt = session.now();
  const unconfirmed = earlier ?? (await confirmGrants(session));
  const needed =
    session.correcting === undefined && needsPoll({ pod: session.pod, row: session.row, facts: session.facts });
  const outcome =
    unconfirmed ??
    (session.sight.kind === 'unread' && needed ? ((await reserve(session)) ?? (await poll(session))) : undefined);
  const capacity = await gatherCapacity(session, outcome);
  const operation = outcome === undefined ? await readOperation(session) : undefined;
  const node = nodeKeyText(session.node.key);
  const hints = session.deps.nodeHints.get(node);
  return {
    now: session.sightAt,
    at: session.now(),
    pod: session.pod,
    row: session.row,
    sight: session.sight,
    ...defined({ operation }),
    references: session.references,
    capacity,
    logTails: session.logTails,
    clusterUid: session.clusterUid,
    outcome,
    statusConflicts: session.statusConflicts,
    lastPut: session.lastPut,
    correcting: session.correcting,
    facts: session.facts,
    policy: {
      bornAt: session.birth.bornAt,
      nodeState: session.node.registration.state,
      endingPods: hints?.endingPods ?? 0,
      earliestStartMs: earliestStartMs(session.deps.startTimes.get(node) ?? []) ?? hints?.earliestStartMs,
      ...defined({ relaySilence: silenceOf(session, hints) }),
      agentSilence: session.deps.settings.AGENT_SILENCE,
      capacityFailAfterMs: session.deps.settings.ON_CAPACITY_FAIL_AFTER_MINUTES * 60_000,
      random: session.deps.random(),
    },
  };
}

function silenceOf(session: PodSession, hints: NodeHints | undefined): RelaySilence {
  const read = hints && {
    heardAt: hints.relayHeardAt,
    ageMs: session.deps.clock.monotonicMs() - hints.readAtMs,
  };
  return relaySilence(read, session.now());
}

/** What this process knows may be older than the grant, and a pod that lacks one fails for ever. */
async function confirmGrants(session: PodSession): Promise<Outcome | undefined> {
  const { pod, facts, deps, node } = session;
  const hasGroup = session.row.intent.kind === 'accepted';
  if (session.grants !== undefined || hasGroup || pod === undefined) return undefined;
  if (!isLivingPod(pod) || !lacksGrant(pod, facts)) return undefined;
  const confirmed = await deps.confirmCluster(node.key.cluster);
  if (!confirmed.ok) return { kind: 'failed', call: 'confirm-cluster', fault: confirmed.fault };
  session.grants = confirmed.value.grants ?? [];
  return undefined;
}

/** A pod that is next to have its first group made is polled only when the PUT could follow. */
async function reserve(session: PodSession): Promise<Outcome | undefined> {
  const { deps, facts, pod, row } = session;
  if (pod === undefined || !isFirstPutNext({ pod, row, facts })) return undefined;
  const reserved = await deps.reserveCreate();
  if (reserved.ok) session.reservation = reserved.value;
  if (reserved.ok || reserved.fault.kind !== 'throttled') return undefined;
  return { kind: 'failed', call: 'put-group', fault: reserved.fault };
}

/** Only before a PUT, and what was found then counts until its answer. A fault to ask costs a PUT too many at most. */
async function gatherCapacity(session: PodSession, outcome: Outcome | undefined): Promise<CapacityState | undefined> {
  if (outcome !== undefined || !needsCapacity(session)) return session.capacity;
  const read = await readCapacity(session.deps, session.capacitySize());
  session.capacity = read.ok ? read.value : undefined;
  return session.capacity;
}

/** One GET of the group; undefined when it was read, there or not. */
async function poll(session: PodSession): Promise<Outcome | undefined> {
  const signal = session.callSignal();
  if (signal === undefined) return { kind: 'out-of-time' };
  const sight = sightOf(
    session,
    await session.deps.groups.get(session.row.group, signal, { canWait: canWait(session) }),
  );
  if (!sight.ok) return { kind: 'failed', call: 'get-group', fault: sight.fault };
  session.sight = sight.value;
  return undefined;
}

function sightOf(session: PodSession, got: Result<GroupObservation>): Result<GroupSight> {
  if (!got.ok) return got.fault.kind === 'not-found' ? ok({ kind: 'absent' }) : got;
  const owner = { installation: session.node.facts.installation, ...session.node.key, uid: session.row.uid };
  return ok(isOwnedBy(got.value.tags, owner) ? { kind: 'seen', group: got.value } : { kind: 'foreign' });
}

/** A pod whose group was accepted and that nobody deletes: creates and deletes go before it. */
const canWait = ({ pod, row }: PodSession): boolean =>
  pod !== undefined &&
  pod.metadata.deletionTimestamp === undefined &&
  row.intent.kind === 'accepted' &&
  row.intent.replacing !== true;

/** Only the operation says why a group could not be provisioned. A failure to ask costs only the reason. */
async function readOperation(session: PodSession): Promise<Observed['operation']> {
  const { sight, row } = session;
  if (sight.kind !== 'seen' || groupCondition(sight.group) !== 'failed-to-provision') return undefined;
  if (row.intent.kind !== 'accepted' || row.intent.operationUrl === undefined) return undefined;
  const signal = session.callSignal();
  if (signal === undefined) return undefined;
  const report = await session.deps.groups.getOperation(row.intent.operationUrl, signal);
  return report.ok ? report.value.events : undefined;
}
