import type { StatusAnswer, WordAnswer } from '../core/agent/words.ts';
import type { Result } from '../core/fault.ts';
import type { AttachRequest } from './container-groups.ts';

/**
 * Says one word to the agent of one container of a group, by ARM's exec, and waits for its one line
 * (infra/agent/README.md, One word, then a terminal).
 *
 * Cost: 1 write of those for words, and one connection to the host that ARM names, for about a second; nothing is repeated
 * inside. Bounded by `signal` in time, and in what is read of the container's words. An effect beyond the answer comes as
 * the agent's reports.
 *
 * Faults: those of `ContainerGroups.exec`, when nothing was done: `not-found` (no such group or container), `conflict`,
 * `throttled`, `denied`. `rejected`: something else than an agent spoke, and nothing was done: the word is not in the
 * container (`AgentMissing`), the container has ended or says what is no answer (`AgentSilent`); the message has its last
 * words. `transient`: the session could not be reached, ended without a word or took too long; the agent may have heard.
 */
export interface AgentWords {
  /**
   * The program is to end as a kubelet ends it: hook, signal, `graceSeconds` in all, a kill. Idempotent: a second one can
   * only bring the end nearer. `ok` says that it has begun.
   */
  drain(
    place: AttachRequest,
    order: { readonly graceSeconds: number },
    signal: AbortSignal,
  ): Promise<Result<WordAnswer>>;
  /** The live volumes of this container have changed: its agent fetches them. Idempotent. */
  refresh(place: AttachRequest, signal: AbortSignal): Promise<Result<WordAnswer>>;
  /** What the agent knows, above all why its reports do not arrive. Changes nothing. */
  status(place: AttachRequest, signal: AbortSignal): Promise<Result<StatusAnswer>>;
}
