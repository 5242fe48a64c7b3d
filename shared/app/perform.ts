import { describeFault } from '../core/fault.ts';
import type { Effect } from '../core/reconcile/observed.ts';
import { timing } from '../core/reconcile/timing.ts';
import { usageOfRow } from '../core/usage/usage.ts';
import { createGroup } from './create-group.ts';
import { done, later } from './performed.ts';
import type { Performed } from './performed.ts';
import { outOfTime } from './pod-session.ts';
import type { PodSession } from './pod-session.ts';
import { patchStatus } from './patch-status.ts';
import { recordEvent } from './record-event.ts';

/** Performs effects in order until one of them says stop. */
export async function perform(session: PodSession, effects: readonly Effect[]): Promise<Performed> {
  for (const effect of effects) {
    const performed = await performOne(session, effect);
    if (performed.kind !== 'done') return performed;
  }
  return done;
}

async function performOne(session: PodSession, effect: Effect): Promise<Performed> {
  switch (effect.kind) {
    case 'patch-status':
      return patchStatus(session, effect.status);
    case 'create-event':
      return recordEvent(session, effect);
    case 'create-group':
      return createGroup(session);
    case 'stop-group':
      return stopGroup(session);
    case 'delete-group':
      return deleteGroup(session);
    case 'verify-cluster':
      return verifyCluster(session);
    case 'delete-pod':
      return deletePod(session);
    case 'forget':
      return forget(session);
  }
}

async function stopGroup(session: PodSession): Promise<Performed> {
  const signal = session.callSignal();
  if (signal === undefined) return later(outOfTime);
  const stopped = await session.deps.groups.stop(session.row.group, signal);
  session.sight = { kind: 'unread' };
  if (stopped.ok || stopped.fault.kind === 'not-found') return done;
  return stopped.fault.kind === 'conflict'
    ? { kind: 'stop', next: { kind: 'in', ms: 5_000 }, fault: stopped.fault }
    : later(stopped.fault);
}

async function deleteGroup(session: PodSession): Promise<Performed> {
  if (session.deleteSent) return { kind: 'stop', next: { kind: 'in', ms: timing.deleteConfirmMs } };
  const replaced = await markReplacing(session);
  if (replaced.kind !== 'done') return replaced;
  const signal = session.callSignal();
  if (signal === undefined) return later(outOfTime);
  const deleted = await session.deps.groups.delete(session.row.group, signal);
  session.sight = { kind: 'unread' };
  if (deleted.ok) {
    session.deleteSent = true;
    return done;
  }
  return deleted.fault.kind === 'conflict'
    ? { kind: 'stop', next: { kind: 'in', ms: 5_000 }, fault: deleted.fault }
    : later(deleted.fault);
}

/** A pod that lives on gets a new group: a crash after the DELETE must not look like a loss. */
async function markReplacing(session: PodSession): Promise<Performed> {
  const { pod, row } = session;
  const living = pod !== undefined && pod.metadata.deletionTimestamp === undefined;
  if (!living || row.intent.kind === 'deleted') return done;
  const at = row.intent.kind === 'none' ? session.now() : row.intent.at;
  const saved = await session.save({ intent: { kind: 'accepted', at, replacing: true } });
  return saved.ok ? done : { kind: 'released' };
}

async function verifyCluster(session: PodSession): Promise<Performed> {
  const signal = session.callSignal();
  if (signal === undefined) return later(outOfTime);
  const uid = await session.node.cluster.api.getClusterUid(signal);
  if (!uid.ok) return later(uid.fault);
  if (uid.value === session.node.key.cluster) return done;
  session.deps.log.warn('cluster has another UID than the one attached; its groups are left alone', {
    cluster: session.node.cluster.registration.name,
    attached: session.node.key.cluster,
    found: uid.value,
  });
  return { kind: 'stop', next: { kind: 'in', ms: timing.foreignMs } };
}

async function deletePod(session: PodSession): Promise<Performed> {
  const signal = session.callSignal();
  if (signal === undefined || session.pod === undefined) return later(outOfTime);
  const deleted = await session.node.api.deletePod(session.pod, {}, signal);
  if (!deleted.ok) return later(deleted.fault);
  return done;
}

/** Group and pod are gone: what they used goes to the ledger with the row. */
async function forget(session: PodSession): Promise<Performed> {
  const usage = usageOfRow(session.node.key, session.row, session.now());
  const forgotten = await session.deps.store.deletePod(session.node.key, session.held, usage);
  if (!forgotten.ok && forgotten.fault.kind !== 'conflict')
    session.deps.log.warn('row could not be removed', { uid: session.row.uid, fault: describeFault(forgotten.fault) });
  return { kind: 'released' };
}
