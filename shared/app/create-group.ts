import { describeFault } from '../core/fault.ts';
import type { Fault } from '../core/fault.ts';
import { isDaemonSetPod } from '../core/kubernetes/pod.ts';
import type { Pod } from '../core/kubernetes/pod.ts';
import { inspectPod } from '../core/pod/inspect.ts';
import { listReferences } from '../core/pod/references.ts';
import { translatePod } from '../core/pod/translate.ts';
import type { Notice, Refusal } from '../core/pod/translation.ts';
import type { GroupBody } from '../core/group/group.ts';
import { readPutFault, refusalHoldMs } from '../core/reconcile/refusal.ts';
import type { PutVerdict } from '../core/reconcile/refusal.ts';
import type { Intent } from '../core/reconcile/pod-row.ts';
import { pendingStatus, rejectedStatus, statusToWrite } from '../core/status/status.ts';
import { measureSinceBound } from './measure-pod.ts';
import { usageOfNewGroup } from '../core/usage/usage.ts';
import { isFreshlyBound, patchStatus } from './patch-status.ts';
import { done, later } from './performed.ts';
import type { Performed } from './performed.ts';
import { outOfTime } from './pod-session.ts';
import type { PodSession } from './pod-session.ts';
import { recordEvent } from './record-event.ts';
import { resolveReferences } from './resolve-references.ts';

/** Makes the pod's group: judge the spec, read what it refers to, write the intent, PUT once (DESIGN rule 2). */
export async function createGroup(session: PodSession): Promise<Performed> {
  const { pod, node } = session;
  if (pod === undefined) return done;
  const { refusal } = inspectPod(pod, node.facts);
  if (refusal !== undefined) return refuse(session, pod, refusal);
  const signal = session.callSignal();
  if (signal === undefined) return later(outOfTime);
  const resolved = await resolveReferences(node.api, pod.metadata.namespace, listReferences(pod, node.facts), signal);
  if (!resolved.ok) return unresolved(session, pod, resolved.fault);
  const translation = translatePod(pod, node.facts, resolved.value);
  switch (translation.kind) {
    case 'refused':
      return refuse(session, pod, translation);
    case 'waiting':
      return keepPending(session, pod, {
        reason: translation.reason,
        message: translation.message,
        next: { kind: 'backoff' },
      });
    case 'group':
      return putGroup(session, pod, translation.body, translation.notices);
  }
}

/**
 * A pod that ACI can never run is Failed; a DaemonSet's would be re-created for ever, so it waits (DESIGN rule 7), and one
 * that another controller would replace at once fails late.
 */
async function refuse(session: PodSession, pod: Pod, refusal: Refusal): Promise<Performed> {
  const told = await recordEvent(session, {
    kind: 'create-event',
    type: 'Warning',
    reason: refusal.reason,
    message: refusal.message,
  });
  if (told.kind !== 'done') return told;
  if (isDaemonSetPod(pod)) return { kind: 'stop', next: { kind: 'idle' } };
  const heldMs = refusalHoldMs(pod, session.now());
  if (heldMs > 0) return { kind: 'stop', next: { kind: 'in', ms: heldMs } };
  return failPod(session, pod, refusal);
}

async function failPod(
  session: PodSession,
  pod: Pod,
  refusal: { readonly reason: string; readonly message: string },
): Promise<Performed> {
  const status = statusToWrite(
    pod,
    rejectedStatus({ pod, reason: refusal.reason, message: refusal.message, now: session.now() }),
  );
  const patched = status === undefined ? done : await patchStatus(session, status);
  return patched.kind === 'done' ? { kind: 'stop', next: { kind: 'idle' }, row: { settled: true } } : patched;
}

async function unresolved(session: PodSession, pod: Pod, fault: Fault): Promise<Performed> {
  if (fault.kind !== 'denied') return later(fault);
  if (isFreshlyBound(session)) return { kind: 'stop', next: { kind: 'in', ms: 1_000 }, fault };
  return keepPending(session, pod, {
    reason: 'CreateContainerConfigError',
    message: describeFault(fault),
    next: { kind: 'backoff' },
  });
}

interface Wait {
  readonly reason: string;
  readonly message: string;
  readonly next: Extract<Performed, { kind: 'stop' }>['next'];
}

/** Pending with a waiting reason and one event; clears by itself when the cause passes. */
async function keepPending(session: PodSession, pod: Pod, wait: Wait): Promise<Performed> {
  const told = await recordEvent(session, {
    kind: 'create-event',
    type: 'Warning',
    reason: wait.reason,
    message: wait.message,
  });
  if (told.kind !== 'done') return told;
  const status = pendingStatus({
    pod,
    reason: wait.reason,
    message: wait.message,
    hostIP: session.node.facts.hostIP,
    now: session.now(),
  });
  const next = statusToWrite(pod, status);
  const patched = next === undefined ? done : await patchStatus(session, next);
  return patched.kind === 'done'
    ? { kind: 'stop', next: wait.next, row: { fault: { reason: wait.reason, message: wait.message } } }
    : patched;
}

async function putGroup(
  session: PodSession,
  pod: Pod,
  body: GroupBody,
  notices: readonly Notice[],
): Promise<Performed> {
  for (const notice of notices) {
    const told = await recordEvent(session, { kind: 'create-event', type: 'Normal', ...notice });
    if (told.kind !== 'done') return told;
  }
  const openedAt = session.now();
  const opened = await session.save(
    { intent: { kind: 'open', at: openedAt }, usage: usageOfNewGroup(session.row, pod, openedAt) },
    { guardBirth: true },
  );
  if (!opened.ok) return opened.fault.kind === 'conflict' ? { kind: 'released' } : later(opened.fault);
  const signal = session.callSignal();
  if (signal === undefined) return later(outOfTime);
  const put = await session.deps.groups.createOrUpdate(session.row.group, body, signal);
  if (!put.ok) return refused(session, pod, readPutFault(put.fault), put.fault);
  const intent: Intent = { kind: 'accepted', at: session.now(), ...put.value };
  const saved = await session.save({ intent });
  if (!saved.ok) return { kind: 'released' };
  measureSinceBound(session, 'serverless_kubelet.pod.accepted.duration');
  session.deps.log.info('container group accepted', {
    group: session.row.group,
    uid: session.row.uid,
    namespace: session.row.namespace,
    pod: session.row.name,
  });
  return accepted(session, pod);
}

async function accepted(session: PodSession, pod: Pod): Promise<Performed> {
  await recordEvent(session, {
    kind: 'create-event',
    type: 'Normal',
    reason: 'Created',
    message: `Created container group ${session.row.group}`,
  });
  const reason = pod.spec.initContainers.length > 0 ? 'PodInitializing' : 'ContainerCreating';
  const status = statusToWrite(
    pod,
    pendingStatus({ pod, reason, hostIP: session.node.facts.hostIP, now: session.now() }),
  );
  const patched = status === undefined ? done : await patchStatus(session, status);
  if (patched.kind === 'done') return { kind: 'stop', next: { kind: 'in', ms: 2_000 } };
  // What was seen before the PUT no longer holds: after a conflict the next look decides, not this one again.
  return patched.kind === 'stop' && patched.next.kind === 'again'
    ? { kind: 'stop', next: { kind: 'in', ms: 1_000 } }
    : patched;
}

async function refused(session: PodSession, pod: Pod, verdict: PutVerdict, fault: Fault): Promise<Performed> {
  if (verdict.kind === 'unknown') {
    // Nobody knows: the intent stays open, and the next look tells.
    session.sight = { kind: 'unread' };
    return { kind: 'stop', next: { kind: 'in', ms: 3_000 }, fault };
  }
  const saved = await session.save({ intent: { kind: 'refused', at: session.now() } });
  if (!saved.ok) return { kind: 'released' };
  if (verdict.kind === 'failed') {
    return refuse(session, pod, { kind: 'refused', reason: verdict.reason, field: 'spec', message: verdict.message });
  }
  if (verdict.capacity && !isDaemonSetPod(pod) && isOutOfPatience(session, pod))
    return failPod(session, pod, { reason: 'OutOfcpu', message: verdict.message });
  const next =
    verdict.retryAfterMs === undefined
      ? ({ kind: 'backoff' } as const)
      : ({ kind: 'in', ms: verdict.retryAfterMs } as const);
  if (verdict.reason === 'ContainerCreating') return { kind: 'stop', next, fault };
  return keepPending(session, pod, { reason: verdict.reason, message: verdict.message, next });
}

/** The setting `ON_CAPACITY_FAIL_AFTER_MINUTES` lets a pod fail, so that its owner can try elsewhere. */
function isOutOfPatience(session: PodSession, pod: Pod): boolean {
  const limitMs = session.deps.settings.ON_CAPACITY_FAIL_AFTER_MINUTES * 60_000;
  const since = Date.parse(pod.status.startTime ?? pod.metadata.creationTimestamp);
  return limitMs > 0 && Number.isFinite(since) && session.now() - since > limitMs;
}
