import { randomUUID } from 'node:crypto';
import type { Clock } from './clock.ts';
import { reduce } from './group-state.ts';
import type { EventRecord, GroupEvent, GroupStatus } from './group-state.ts';
import type { ContainerUsage, LogOptions, RunningContainer } from './runtime/runtime.ts';
import type { GroupBody } from './wire.ts';

/** One life of a group's containers, from a PUT, start or restart to its end. `life.ts` implements it. */
export interface Life {
  /** Ends the containers with grace and frees what they used (or hands the sandbox on). Idempotent. */
  retire(mode: { readonly keepSandbox: boolean; readonly recordKills: boolean }): Promise<SandboxHandle | undefined>;
  /** Kills everything at once and frees it. Idempotent. */
  destroy(): Promise<void>;
  /** `undefined` when the container has not started yet. */
  readLogs(container: string, options: LogOptions): Promise<string | undefined>;
  /** What each container that runs uses. */
  usage(): Promise<readonly RunUsage[]>;
  /** The container's process as it is now; `undefined` when there is none. */
  running(container: string): RunningContainer | undefined;
  /** Ends one container, or all, as the platform does, with the given exit code shown. */
  kill(container: string | undefined, exitCode: number): Promise<void>;
  /** Its node goes away: everything is killed at once, whatever the policy, and the logs are gone. */
  evict(exitCode: number): Promise<void>;
}

/** What one run of a container has used up to now. */
export interface RunUsage extends ContainerUsage {
  readonly container: string;
  /** Of the run: another one has another. */
  readonly run: string;
  readonly startedAt: number;
}

export interface SandboxHandle {
  readonly id: string;
  readonly ip?: string;
  readonly pid?: number;
}

/** A container group that exists. `status` is the pure state; the rest is what ARM was reported. */
export interface GroupEntry {
  readonly id: string;
  readonly subscription: string;
  readonly resourceGroup: string;
  readonly name: string;
  /** Of its own from its first PUT to its DELETE. */
  readonly incarnation: string;
  /** Normalised: lower case, no blanks. */
  readonly region: string;
  /** As sent. */
  location: string;
  tags: Readonly<Record<string, string>> | undefined;
  body: GroupBody;
  status: GroupStatus;
  ip: string | undefined;
  life: Life | undefined;
  /** A stop is under way. */
  halting: boolean;
  deleted: boolean;
}

export interface Operation {
  readonly id: string;
  readonly groupId: string;
  readonly location: string;
  readonly startTime: number;
  status: 'Pending' | 'Creating' | 'Updating' | 'Deleting' | 'Succeeded' | 'Failed' | 'Canceled';
  /** Events of the operation itself (`InsufficientCapacity.`). */
  events: readonly EventRecord[];
  /** The group while the operation goes on; its containers' events are shown live. */
  entry: GroupEntry | undefined;
}

/** All groups and operations of the emulator, by lower-cased ARM id. */
export class GroupStore {
  readonly #clock: Clock;
  readonly #retentionMs: number;
  readonly #groups = new Map<string, GroupEntry>();
  readonly #operations = new Map<string, Operation>();

  constructor(clock: Clock, operationRetentionMs: number) {
    this.#clock = clock;
    this.#retentionMs = operationRetentionMs;
  }

  find(id: string): GroupEntry | undefined {
    return this.#groups.get(id.toLowerCase());
  }

  add(entry: GroupEntry): void {
    this.#groups.set(entry.id.toLowerCase(), entry);
  }

  /** Takes the group out of every list. Its operations that still ran end as canceled. */
  remove(entry: GroupEntry): void {
    entry.deleted = true;
    this.#groups.delete(entry.id.toLowerCase());
    for (const operation of this.#operations.values())
      if (operation.entry === entry) this.finish(operation, operation.status === 'Deleting' ? 'Succeeded' : 'Canceled');
  }

  /** In order of creation. */
  all(): readonly GroupEntry[] {
    return [...this.#groups.values()];
  }

  /** Moves the group's state machine. */
  apply(entry: GroupEntry, event: GroupEvent): void {
    entry.status = reduce(entry.status, event, this.#clock.now());
  }

  begin(entry: GroupEntry, status: Operation['status']): Operation {
    this.#forgetOld();
    const operation: Operation = {
      id: randomUUID(),
      groupId: entry.id,
      location: entry.region,
      startTime: this.#clock.now(),
      status,
      events: [],
      entry,
    };
    this.#operations.set(operation.id, operation);
    return operation;
  }

  /** Ends an operation once; the events it shows are frozen. */
  finish(operation: Operation, status: 'Succeeded' | 'Failed' | 'Canceled'): void {
    if (operation.entry === undefined) return;
    operation.events = operationEvents(operation);
    operation.status = status;
    operation.entry = undefined;
  }

  operation(id: string): Operation | undefined {
    return this.#operations.get(id.toLowerCase());
  }

  clear(): void {
    this.#groups.clear();
    this.#operations.clear();
  }

  #forgetOld(): void {
    const horizon = this.#clock.now() - this.#retentionMs;
    for (const [id, operation] of this.#operations) {
      if (operation.startTime >= horizon) return;
      if (operation.entry === undefined) this.#operations.delete(id);
    }
  }
}

/** The operation's own events and those of the group's containers so far. */
export function operationEvents(operation: Operation): readonly EventRecord[] {
  const containers = operation.entry === undefined ? [] : [...operation.entry.status.containers.values()];
  return [...operation.events, ...containers.flatMap((c) => c.events)];
}
