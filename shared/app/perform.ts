import { defined } from '../core/defined.ts';
import type { AgentKeyName } from '../core/agent/access.ts';
import { memoryFor } from '../core/agent/reports/memory.ts';
import { memoryOfPut } from '../core/agent/files/live-files.ts';
import { describeFault, ok } from '../core/fault.ts';
import type { Fault, Result } from '../core/fault.ts';
import { listReferences } from '../core/pod/references.ts';
import type { ResolvedReferences } from '../core/pod/translation.ts';
import type { Call, Effect, Outcome } from '../core/reconcile/observed.ts';
import type { PodRow } from '../core/reconcile/pod-row.ts';
import { usageOfNewGroup, usageOfRow } from '../core/usage/usage.ts';
import type { CapacityEvent } from '../core/budget/capacity.ts';
import { noteCapacity, reportCapacity } from './capacity-gate.ts';
import { freeGroups } from './free-groups.ts';
import { forgetLogs, keepLogs, readLogTails } from './keep-logs.ts';
import { noteLatePut } from './make-due.ts';
import { measureSinceBound, measureStatus } from './measure-pod.ts';
import { askAgents, drainAgents } from './order-agents.ts';
import type { PodSession } from './pod-session.ts';
import { recordEvent } from './record-event.ts';
import { resolvePod } from './resolve-pod.ts';

/** Before the pod is read again: whoever wrote it may be about to write again. */
const longestPauseMs = 100;

/** What a call came to when there was nothing left to say of it. */
const done = undefined;

type Performed = Promise<Outcome | typeof done>;

/**
 * Performs effects in order, until one of them comes to something that must be decided upon. Events are written beside the
 * others: nothing waits for them but the end of the round.
 */
export async function perform(session: PodSession, effects: readonly Effect[]): Performed {
  const events: Promise<void>[] = [];
  let outcome: Outcome | typeof done;
  for (const effect of effects) {
    if (effect.kind === 'create-event') events.push(recordEvent(session, effect));
    else outcome = await performOne(session, effect);
    if (outcome !== done) break;
  }
  await Promise.all(events);
  return outcome;
}

async function performOne(session: PodSession, effect: Exclude<Effect, { kind: 'create-event' }>): Performed {
  switch (effect.kind) {
    case 'patch-status':
      return patchStatus(session, effect);
    case 'read-pod':
      await session.deps.clock.sleep(session.deps.random() * longestPauseMs);
      return readPod(session);
    case 'read-references':
      return readReferences(session);
    case 'read-cluster-uid':
      return readClusterUid(session);
    case 'save-row':
      return (await session.save(effect.row)).ok ? done : { kind: 'row-lost' };
    case 'note-row':
      session.stage(effect.row);
      return done;
    case 'note-capacity':
      return note(session, effect.event);
    case 'delete-pod':
      return deletePod(session);
    case 'forget':
      return forget(session);
    default:
      return performOnGroups(session, effect);
  }
}

type GroupEffect = Extract<
  Effect,
  {
    kind:
      | 'open-intent'
      | 'put-group'
      | 'report-late-put'
      | 'keep-log'
      | 'read-log-tails'
      | 'free-groups'
      | 'drain-agents'
      | 'ask-agents'
      | 'stop-group'
      | 'delete-group';
  }
>;

async function performOnGroups(session: PodSession, effect: GroupEffect): Performed {
  switch (effect.kind) {
    case 'open-intent':
      return openIntent(session, effect);
    case 'put-group':
      return putGroup(session, effect);
    case 'report-late-put':
      return reportLatePut(session, effect.isAccepted);
    case 'keep-log':
      return keepLogs(session, effect.containers);
    case 'read-log-tails':
      await readLogTails(session, effect.containers);
      return done;
    case 'free-groups':
      await freeGroups(session.deps, session.row.uid);
      return done;
    case 'drain-agents':
      return drainAgents(session, effect);
    case 'ask-agents':
      return askAgents(session, effect.containers);
    case 'stop-group':
    case 'delete-group':
      return endGroup(session, effect.kind);
  }
}

/** One call, if there is time for it: `callSignal` is directly before it. */
async function call<T>(
  session: PodSession,
  kind: Call,
  { send, keep }: { send: (signal: AbortSignal) => Promise<Result<T>>; keep: (value: T) => void },
): Performed {
  const signal = session.callSignal();
  if (signal === undefined) return { kind: 'out-of-time' };
  const answer = await send(signal);
  if (!answer.ok) return failed(kind, answer.fault);
  keep(answer.value);
  return done;
}

const failed = (kind: Call, fault: Fault): Outcome => ({ kind: 'failed', call: kind, fault });

/** Guarded by UID and resourceVersion. */
async function patchStatus(session: PodSession, { status }: Extract<Effect, { kind: 'patch-status' }>): Performed {
  const { pod } = session;
  if (pod === undefined) return { kind: 'out-of-time' };
  const outcome = await call(session, 'patch-status', {
    send: (signal) => session.node.api.patchPodStatus(pod, status, signal),
    keep: (patched) => {
      measureStatus(session, pod, status);
      session.pod = patched;
    },
  });
  if (outcome?.kind === 'failed') session.statusConflicts += 1;
  return outcome;
}

/** As a consistent list shows it; another UID under its name is another pod. */
export const readPod = (session: PodSession): Performed =>
  call(session, 'get-pod', {
    send: (signal) => session.node.api.getPod(session.row, signal),
    keep: (pod) => {
      session.pod = pod?.metadata.uid === session.row.uid ? pod : undefined;
    },
  });

async function readReferences(session: PodSession): Performed {
  const { pod, node, deps } = session;
  if (pod === undefined) return done;
  const references = listReferences(pod, node.facts);
  return call(session, 'read-references', {
    send: async (signal): Promise<Result<ResolvedReferences>> => {
      const read = await resolvePod(deps, node, { pod, references, now: () => session.now() }, signal);
      if (!read.ok) return read;
      const agent = deps.agentAccess(pod.metadata.uid, keyOfLastPut(session.row.intent));
      return ok({ ...read.value, ...defined({ agent }) });
    },
    keep: (references) => {
      session.references = references;
    },
  });
}

/** Of a PUT that may or may not have landed: the next one makes the same group. */
const keyOfLastPut = (intent: PodRow['intent']): AgentKeyName | undefined =>
  intent.kind === 'open' ? intent.agentKey : undefined;

const readClusterUid = (session: PodSession): Performed =>
  call(session, 'read-cluster-uid', {
    send: (signal) => session.node.cluster.api.getClusterUid(signal),
    keep: (uid) => {
      session.clusterUid = uid;
      if (uid === session.node.key.cluster) return;
      session.deps.log.warn('cluster has another UID than the one attached; its groups are left alone', {
        cluster: session.node.cluster.registration.name,
        attached: session.node.key.cluster,
        found: uid,
      });
    },
  });

/** An `ask` must be written down before the PUT; all else is reported as far as it can be. */
async function note(session: PodSession, event: CapacityEvent): Performed {
  const size = session.capacitySize();
  if (event.kind !== 'ask') {
    await reportCapacity(session.deps, size, event);
    return done;
  }
  const asked = await noteCapacity(session.deps, size, event);
  if (!asked.ok) return failed('note-capacity', asked.fault);
  return asked.value ? done : { kind: 'not-asked' };
}

async function openIntent(
  session: PodSession,
  { replaces, agentKey, reporting, liveVolumes }: Extract<Effect, { kind: 'open-intent' }>,
): Performed {
  const at = session.now();
  const { pod, row } = session;
  const usage = pod === undefined ? row.usage : usageOfNewGroup(row, pod, at);
  const intent = { kind: 'open', at, ...(replaces && { replaces }), ...defined({ agentKey }) } as const;
  const agent = memoryFor(row.agent, agentKey, reporting);
  const files = memoryOfPut(agentKey, liveVolumes, at);
  const opened = await session.save({ intent, ending: undefined, usage, agent, files }, { guardBirth: true });
  if (opened.ok) return done;
  return opened.fault.kind === 'conflict' ? { kind: 'row-lost' } : failed('open-intent', opened.fault);
}

async function putGroup(session: PodSession, { body, isRetry }: Extract<Effect, { kind: 'put-group' }>): Performed {
  const { group, uid, namespace, name } = session.row;
  let accepted: Outcome | undefined;
  const outcome = await call(session, 'put-group', {
    send: (signal) => {
      session.reservation?.release();
      return session.deps.groups.createOrUpdate(group, body, signal, { isRetry });
    },
    keep: (value) => {
      accepted = { kind: 'put-accepted', ...value };
      // Another group gets other tokens, and another key of its agents.
      session.references = undefined;
      measureSinceBound(session, 'serverless_kubelet.pod.accepted.duration');
      session.deps.log.info('container group accepted', { group, uid, namespace, pod: name });
    },
  });
  session.sight = { kind: 'put' };
  session.lastPut = outcome ?? accepted;
  return session.lastPut;
}

/** As far as it can be reported: what is not finds the group at its next poll, or at the resync. */
async function reportLatePut(session: PodSession, isAccepted: boolean): Performed {
  const { deps, node, row } = session;
  const reported = await noteLatePut(deps, node, row, { at: session.now(), isAccepted });
  if (!reported.ok)
    deps.log.warn('late PUT could not be reported', {
      uid: row.uid,
      pod: row.name,
      fault: describeFault(reported.fault),
    });
  return done;
}

async function endGroup(session: PodSession, kind: 'stop-group' | 'delete-group'): Performed {
  const { groups } = session.deps;
  const { group } = session.row;
  const send = (signal: AbortSignal): Promise<Result<unknown>> =>
    kind === 'stop-group' ? groups.stop(group, signal) : groups.delete(group, signal);
  const outcome = await call(session, kind, { send, keep: () => undefined });
  session.sight = { kind: 'unread' };
  // A group that is gone already is ended, too.
  return outcome?.kind === 'failed' && outcome.fault.kind === 'not-found' ? done : outcome;
}

async function deletePod(session: PodSession): Performed {
  const { pod } = session;
  if (pod === undefined) return done;
  return call(session, 'delete-pod', {
    send: (signal) => session.node.api.deletePod(pod, {}, signal),
    keep: () => undefined,
  });
}

/** Group and pod are gone: what they used goes to the ledger with the row. */
async function forget(session: PodSession): Performed {
  const outcome = session.row.keptLog === undefined ? done : await forgetLogs(session);
  if (outcome !== done) return outcome;
  const usage = usageOfRow(session.node.key, session.row, session.now());
  const forgotten = await session.forget(usage);
  if (!forgotten.ok && forgotten.fault.kind !== 'conflict')
    session.deps.log.warn('row could not be removed', { uid: session.row.uid, fault: describeFault(forgotten.fault) });
  return { kind: 'row-lost' };
}
