import type { Result } from '../core/fault.ts';
import type { GroupBody, GroupObservation, ListedGroup } from '../core/group/group.ts';
import type { MonitorReading } from '../core/resource-metrics/minute-averages.ts';
import type { StreamSession, TerminalSize } from '../core/streams/stream-session.ts';

/** What an accepted PUT answered. */
export interface AcceptedGroup {
  /** Where the asynchronous operation reports (`Azure-AsyncOperation`), verbatim; needed only for the reason of a failure. */
  readonly operationUrl?: string;
}

/** The answer of a DELETE, judged by its own status code (docs/aci.md, Requests): done, accepted (202), or nothing was there (204, 404). */
export type DeletedGroup = 'deleted' | 'accepted' | 'absent';

/**
 * Container groups of one resource group. Every method is one ARM request (`list`: one per page), never repeated
 * inside; `signal` bounds it. Faults are those of `Fault`; a body that is not what ARM promises is `transient`.
 */
export interface ContainerGroups {
  /** All pages or a fault: a partial list is never returned. Cost: 1 read a page. Groups that are not ours are included. */
  list(signal: AbortSignal): Promise<Result<readonly ListedGroup[]>>;
  /**
   * One GET with instance view. `not-found` also when the whole resource group is gone. Cost: 1 read; one that `canWait`
   * leaves a part of the reads to those that can't.
   */
  get(name: string, signal: AbortSignal, options?: { readonly canWait: boolean }): Promise<Result<GroupObservation>>;
  /**
   * PUT. NOT idempotent: a second PUT of the same body restarts the containers, so callers write an intent first.
   * `rejected` and `capacity` mean nothing was created; `transient` means nobody knows. Cost: 1 write and 1 create;
   * one that `isRetry` leaves a part of the creates to those that are no retry.
   */
  createOrUpdate(
    name: string,
    body: GroupBody,
    signal: AbortSignal,
    options?: { readonly isRetry: boolean },
  ): Promise<Result<AcceptedGroup>>;
  /** Succeeds when absent. `conflict` while the group is transitioning. Cost: 1 delete. */
  delete(name: string, signal: AbortSignal): Promise<Result<DeletedGroup>>;
  /** Ends all containers and erases their instance view, so harvest first. Succeeds on a group that has ended. Cost: 1 write. */
  stop(name: string, signal: AbortSignal): Promise<Result<void>>;
  /** Up to 4 MB of a running container, 16 KB or 1,000 lines of an ended one. `not-found` before it started. Cost: 1 read. */
  listLogs(request: LogsRequest, signal: AbortSignal): Promise<Result<string>>;
  /**
   * What Azure Monitor has of the group's containers: averages of whole minutes within the window, one to three minutes
   * late; a container of which nothing is known is not there. Cost: 1 read, of a part of the reads that is small.
   */
  listMetrics(name: string, window: MetricsWindow, signal: AbortSignal): Promise<Result<MonitorReading>>;
  /**
   * Opens one session of a new process in a container, behind a terminal of the given size. `command` is one word: ACI knows
   * no arguments. NOT idempotent: each call is a process of its own once somebody connects, and what nobody connects to ends
   * by itself. Succeeds on a container that has ended; the session then fails. `not-found`: no such group or container;
   * `conflict` while the group is transitioning. The password is a secret, for one use within minutes. Cost: 1 write of those for
   * streams; of those for words where it is one to an agent.
   */
  exec(request: ExecRequest, signal: AbortSignal): Promise<Result<StreamSession>>;
  /**
   * Opens one session that shows what a container writes from now on; nothing can be sent to it. Repeating it opens another.
   * Faults, secret and cost as of `exec`.
   */
  attach(request: AttachRequest, signal: AbortSignal): Promise<Result<StreamSession>>;
  /** Events of a failed operation, newest last; the reason why a group could not be provisioned. Cost: 1 read. */
  getOperation(operationUrl: string, signal: AbortSignal): Promise<Result<OperationReport>>;
  /** Quota and use of the region (`StandardCores`, `ContainerGroups`). Needs the subscription-scoped reading role. Cost: 1 read. */
  listUsages(signal: AbortSignal): Promise<Result<readonly Usage[]>>;
}

export interface LogsRequest {
  readonly group: string;
  readonly container: string;
  /** Lines from the end; absent: all that ACI keeps. */
  readonly tail?: number;
  readonly timestamps: boolean;
}

/** In ms since the epoch. */
export interface MetricsWindow {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface AttachRequest {
  readonly group: string;
  readonly container: string;
}

export interface ExecRequest extends AttachRequest {
  readonly command: string;
  /** The app itself says it to an agent, and nobody's exec goes before it. */
  readonly isWord?: boolean;
  readonly terminalSize: TerminalSize;
}

export interface OperationReport {
  readonly status: string;
  readonly events: readonly { readonly name: string; readonly message: string }[];
}

export interface Usage {
  readonly name: string;
  readonly current: number;
  readonly limit: number;
}
