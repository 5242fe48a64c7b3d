import type { Pod, PodStatus } from '../kubernetes/pod.ts';
import { isProbedByRelay } from './readiness.ts';
import { rfc3339 } from './time.ts';

/** Since when the relay has not called, ms; undefined: it calls; `unknown`: this process has not looked lately. */
export type RelaySilence = number | 'unknown' | undefined;

/** A new release of the relay, or a new leader, is there sooner. */
const silentAfterMs = 120_000;
/** What was read of a node earlier than this says nothing of its relay: another process may have heard it since. */
const knownForMs = 60_000;

/** From when a node's relay called last (undefined: never, so that nothing was found that could be old). */
export function relaySilence(
  read: { readonly heardAt: number | undefined; readonly ageMs: number } | undefined,
  now: number,
): RelaySilence {
  if (read === undefined || read.ageMs > knownForMs) return 'unknown';
  return read.heardAt !== undefined && now - read.heardAt >= silentAfterMs ? read.heardAt : undefined;
}

const words = 'the relay, which probes readiness, has not called since ';
const noteOf = (since: string): string => `${words}${since}: this is what it found last`;

/** What the message says of it already. */
function noteIn(message: string): string | undefined {
  const at = message.indexOf(words);
  return at < 0 ? undefined : message.slice(at);
}

const isProbedNow = (pod: Pod, { phase, containerStatuses }: PodStatus, agents: readonly string[]): boolean =>
  phase === 'Running' &&
  containerStatuses.some(
    ({ name, state }) => state.kind === 'running' && isProbedByRelay(pod, name) && !agents.includes(name),
  );

/**
 * Where nobody probes, the last word on readiness holds, and the message of `Ready` says since when. Of what is not known
 * it says what it said. `agents`: containers whose agents probe.
 */
export function withRelaySilence(
  pod: Pod,
  status: PodStatus,
  silence: RelaySilence,
  agents: readonly string[] = [],
): PodStatus {
  if (silence === undefined || !isProbedNow(pod, status, agents)) return status;
  const before = pod.status.conditions.find(({ type }) => type === 'Ready')?.message ?? '';
  const note = silence === 'unknown' ? noteIn(before) : noteOf(rfc3339(silence));
  if (note === undefined) return status;
  return {
    ...status,
    conditions: status.conditions.map((condition) =>
      condition.type === 'Ready'
        ? { ...condition, message: condition.message === undefined ? note : `${condition.message}; ${note}` }
        : condition,
    ),
  };
}
