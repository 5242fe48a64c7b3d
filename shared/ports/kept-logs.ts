import type { Result } from '../core/fault.ts';
import type { ContainerLog } from '../core/logs/kept-log.ts';
import type { NodeKey } from '../core/node/node-key.ts';

/** Whose log: the node whose pod it is, and the name of the pod's group, which no other pod ever has. */
export interface KeptLogKey {
  readonly node: NodeKey;
  readonly group: string;
}

/**
 * Logs of containers whose group goes before its pod does: one document for each pod, at most 4 MB (`keptBytes`), until
 * the pod is gone. It holds what the containers wrote and nothing else. Every method is one request, never repeated
 * inside, except that the first `put` of an installation also makes the place for it; `signal` bounds it. `denied`,
 * `throttled`, `transient` as everywhere; `rejected` with the code `NoBlobStorage` where the installation has no place
 * for it. No message of a fault holds a key, a token or a line of a log.
 */
export interface KeptLogs {
  /**
   * Keeps these logs in place of what was kept of the pod, the newest part of each where they are too long together.
   * Idempotent; after `transient` nobody knows whether it took place.
   */
  put(key: KeptLogKey, logs: readonly ContainerLog[], signal: AbortSignal): Promise<Result<void>>;
  /** All that is kept of the pod, in the order in which it was put; undefined: nothing, or what is there is none of ours. */
  get(key: KeptLogKey, signal: AbortSignal): Promise<Result<readonly ContainerLog[] | undefined>>;
  /** Succeeds when nothing is kept. */
  delete(key: KeptLogKey, signal: AbortSignal): Promise<Result<void>>;
}
