import { fail, ok } from '../core/fault.ts';
import type { Result } from '../core/fault.ts';
import type { GroupObservation } from '../core/group/group.ts';
import { isOwnedBy } from '../core/group/identity.ts';
import { needsLook } from '../core/reconcile/decide.ts';
import type { GroupSight, Observed } from '../core/reconcile/observed.ts';
import { nodeKeyText } from '../core/node/node-key.ts';
import { groupCondition } from '../core/status/status.ts';
import { usageOfLook } from '../core/usage/usage.ts';
import { outOfTime } from './pod-session.ts';
import type { PodSession } from './pod-session.ts';

/** Gathers what one decision needs: the group when it matters, and why it failed when it did. */
export async function observe(session: PodSession): Promise<Result<Observed>> {
  if (session.sight.kind === 'unread') session.sightAt = session.now();
  if (session.sight.kind === 'unread' && needsLook({ pod: session.pod, row: session.row })) {
    const sight = await look(session);
    if (!sight.ok) return sight;
    session.sight = sight.value;
  }
  const operation = await readOperation(session);
  return ok({
    // What was not there when it was asked for may be there by now: a wait is over only if it was over then.
    now: session.sightAt,
    pod: session.pod,
    row: session.row,
    sight: session.sight,
    ...(operation === undefined ? {} : { operation }),
    policy: {
      hostIP: session.node.facts.hostIP,
      bornAt: session.birth.bornAt,
      nodeState: session.node.registration.state,
      endingPods: session.deps.endingPods.get(nodeKeyText(session.node.key)) ?? 0,
      capacityFailAfterMs: session.deps.settings.ON_CAPACITY_FAIL_AFTER_MINUTES * 60_000,
      random: session.deps.random(),
    },
  });
}

async function look(session: PodSession): Promise<Result<GroupSight>> {
  const signal = session.callSignal();
  if (signal === undefined) return fail(outOfTime);
  const got = await session.deps.groups.get(session.row.group, signal, { canWait: canWait(session) });
  if (got.ok) {
    const owner = {
      installation: session.node.facts.installation,
      ...session.node.key,
      uid: session.row.uid,
    };
    if (!isOwnedBy(got.value.tags, owner)) return ok({ kind: 'foreign' });
    noteUsage(session, got.value);
    return ok({ kind: 'seen', group: got.value });
  }
  if (got.fault.kind !== 'not-found') return got;
  if (session.deleteSent || (session.row.intent.kind === 'accepted' && session.row.intent.replacing === true)) {
    const saved = await session.save({ intent: { kind: 'deleted', at: session.now() }, absentSince: undefined });
    if (!saved.ok) return saved;
  }
  return ok({ kind: 'absent' });
}

/** What the ledger will say of the group goes out with the next save; the next look would tell it again. */
function noteUsage(session: PodSession, group: GroupObservation): void {
  const { row, pod } = session;
  const usage = usageOfLook(row.usage, pod, { group, now: session.sightAt });
  if (usage !== row.usage) session.stage({ usage });
}

/** A pod whose group was accepted and that nobody deletes: creates and deletes go before it (DESIGN rule 9). */
const canWait = ({ pod, row }: PodSession): boolean =>
  pod !== undefined &&
  pod.metadata.deletionTimestamp === undefined &&
  row.intent.kind === 'accepted' &&
  row.intent.replacing !== true;

/** Only the operation tells why a group could not be provisioned (aci.md §0.3). A failure to ask costs only the reason. */
async function readOperation(session: PodSession): Promise<Observed['operation']> {
  const { sight, row } = session;
  if (sight.kind !== 'seen' || groupCondition(sight.group) !== 'failed-to-provision') return undefined;
  if (row.intent.kind !== 'accepted' || row.intent.operationUrl === undefined) return undefined;
  const signal = session.callSignal();
  if (signal === undefined) return undefined;
  const report = await session.deps.groups.getOperation(row.intent.operationUrl, signal);
  return report.ok ? report.value.events : undefined;
}
