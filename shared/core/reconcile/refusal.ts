import { describeFault } from '../fault.ts';
import type { Fault } from '../fault.ts';
import { controllerOf } from '../kubernetes/pod.ts';
import type { Pod } from '../kubernetes/pod.ts';
import { timing } from './timing.ts';
import type { Effect } from './observed.ts';

/** What a fault of the PUT means for the pod. */
export type PutVerdict =
  /** Pending with this waiting reason, tried again; `retryAfterMs` overrides the back-off. */
  | {
      readonly kind: 'pending';
      readonly reason: string;
      readonly message: string;
      readonly retryAfterMs?: number;
      readonly capacity: boolean;
    }
  /** ACI can never run it. */
  | { readonly kind: 'failed'; readonly reason: string; readonly message: string }
  /** Nobody knows whether the group exists: look. */
  | { readonly kind: 'unknown' };

/**
 * How long a pod that can never run still waits before it is Failed. A ReplicaSet or StatefulSet makes the next pod the
 * moment one fails, without a back-off of its own: a Deployment that is refused would make eight pods a second, for ever.
 * Nobody does so for a pod without a controller, and a Job counts and backs off itself (its pods are never `Always`).
 */
export function refusalHoldMs(pod: Pod, now: number): number {
  const isReplaced = controllerOf(pod) !== undefined && pod.spec.restartPolicy === 'Always';
  const since = Date.parse(pod.metadata.creationTimestamp);
  return isReplaced && Number.isFinite(since) ? Math.max(0, since + timing.refusalHoldMs - now) : 0;
}

/** Faults of the registry or of the image's name that pass, or that a push to the registry fixes (kubelet: ErrImagePull, for ever). */
const imageCodes = ['inaccessibleimage', 'registryerrorresponse'];

/** A quota is ours to make room in; what the region lacks is not. ARM names the one or the other. */
export const makeRoom = (message: string): readonly Effect[] =>
  /ContainerGroupQuotaReached|container group quota '/i.test(message) ? [{ kind: 'free-groups' }] : [];

/** Reads the answer of a PUT (docs/aci.md, Refusals): only what can never run fails the pod (rule 7 of docs/architecture.md). */
export function readPutFault(fault: Fault): PutVerdict {
  const message = describeFault(fault);
  switch (fault.kind) {
    case 'throttled':
      return {
        kind: 'pending',
        reason: 'ContainerCreating',
        message: `waiting for ARM's rate limit: ${message}`,
        retryAfterMs: fault.retryAfterMs,
        capacity: false,
      };
    case 'capacity':
      return { kind: 'pending', reason: 'ProviderCapacity', message, capacity: true };
    case 'denied':
      return { kind: 'pending', reason: 'ProviderDenied', message, capacity: false };
    case 'not-found':
      return { kind: 'pending', reason: 'ProviderNotFound', message, capacity: false };
    case 'rejected':
    case 'conflict':
      return readRefused(fault, message);
    case 'transient':
      return { kind: 'unknown' };
  }
}

type Refused = Extract<Fault, { readonly kind: 'rejected' | 'conflict' }>;

function readRefused(fault: Refused, message: string): PutVerdict {
  const lower = message.toLowerCase();
  if (imageCodes.some((known) => lower.includes(known)))
    return { kind: 'pending', reason: 'ErrImagePull', message, capacity: false };
  // The group exists in some state: the next poll adopts it.
  if (fault.kind === 'conflict' && fault.code === 'ContainerGroupTransitioning') return { kind: 'unknown' };
  if (fault.kind === 'rejected' && fault.isPermanent === true)
    return { kind: 'failed', reason: 'ProviderRejected', message };
  return {
    kind: 'pending',
    reason: 'ProviderError',
    message: `ARM refused the container group, which is tried again: ${message}`,
    capacity: false,
  };
}
