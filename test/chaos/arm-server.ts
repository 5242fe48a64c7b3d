import { createMemoryContainerGroups } from '../../infra/local/sim/memory-container-groups.ts';
import type { Behaviours } from '../../infra/local/sim/container-runs.ts';
import type { ContainerRun } from '../../infra/local/sim/group-life.ts';
import type { MemoryContainerGroups } from '../../infra/local/sim/memory-container-groups.ts';
import { fail, ok } from '../../shared/core/fault.ts';
import type { Fault, Result } from '../../shared/core/fault.ts';
import type { GroupBody, GroupObservation, ListedGroup } from '../../shared/core/group/group.ts';
import type { ContainerGroups } from '../../shared/ports/container-groups.ts';
import type { Plan } from '../../infra/local/sim/faults/request-plan.ts';

/** One PUT that took effect, up to the end of what it made. */
export interface Incarnation {
  readonly group: string;
  readonly uid: string;
  readonly restartPolicy: GroupBody['restartPolicy'];
  readonly at: number;
  /** Its containers start then. */
  readonly startsAt: number;
  /** It never comes up. */
  readonly fails: boolean;
  /** What erased what ARM showed of it, and when: the app's stop or DELETE, another PUT, or the world outside. */
  erased: { readonly at: number; readonly by: 'stop' | 'delete' | 'put' | 'world' } | undefined;
  /** What ARM showed directly before that. */
  last: GroupObservation | undefined;
  /** What was durable of its acceptance when the world took it away. */
  evidence: 'status' | 'row' | 'none';
}

export interface ArmServerOptions {
  readonly now: () => number;
  readonly in: (ms: number, fire: () => void) => void;
  readonly images: Behaviours;
  readonly quota: { readonly groups: number; readonly cores: number };
  readonly note: (uid: string, line: string) => void;
  /** Sees what of a body ARM would show to anybody who may read. */
  readonly onBody: (uid: string, readable: string) => void;
  /** What of an incarnation's acceptance is in rows and statuses now. */
  readonly evidenceOf: (uid: string) => Incarnation['evidence'];
  /** A PUT took effect. */
  readonly onGroup: (incarnation: Incarnation, body: GroupBody) => void;
}

const provisioningMs = 5_000;
/** For so long at most an answer may be older than the last change. */
export const staleMs = 8_000;
const signal = new AbortController().signal;

interface Change {
  readonly at: number;
  readonly before: GroupObservation | undefined;
}

/** ARM in memory, with a record of what truly ran, and with the answers of some seconds ago. */
export class ArmServer {
  readonly groups: MemoryContainerGroups;
  /** All of one pod, in order. */
  readonly incarnations = new Map<string, Incarnation[]>();
  readonly #options: ArmServerOptions;
  /** The last change of each group. */
  readonly #changes = new Map<string, Change>();
  readonly #owners = new Map<string, string>();

  constructor(options: ArmServerOptions) {
    this.#options = options;
    this.groups = createMemoryContainerGroups({
      now: options.now,
      images: options.images,
      provisioningMs,
      quota: options.quota,
    });
  }

  /** Whose group a name will be. */
  expect(group: string, uid: string): void {
    this.#owners.set(group, uid);
  }

  uidOf(group: string): string {
    return this.#owners.get(group) ?? group;
  }

  /** The group as ARM shows it to somebody who is not behind. */
  async peek(group: string): Promise<GroupObservation | undefined> {
    const seen = await this.groups.get(group, signal);
    return seen.ok ? seen.value : undefined;
  }

  /** What truly ran, by `uid/container`; a group that never came up ran nothing. */
  runs(): ReadonlyMap<string, readonly ContainerRun[]> {
    const runs = this.groups.runs().filter(({ group, startedAt }) => {
      const own = this.incarnations.get(this.uidOf(group)) ?? [];
      return own.findLast(({ at }) => at <= startedAt)?.fails === false;
    });
    return Map.groupBy(runs, ({ group, container }) => `${this.uidOf(group)}/${container}`);
  }

  async list(plan: Plan): Promise<Result<readonly ListedGroup[]>> {
    const listed = await this.groups.list(signal);
    if (!listed.ok || plan.kind !== 'stale') return listed;
    const entries = new Map(listed.value.map((group) => [group.name, group]));
    for (const [name, change] of this.#changes) {
      if (this.#options.now() - change.at > staleMs) continue;
      if (change.before === undefined) entries.delete(name);
      else entries.set(name, listedFrom(change.before));
    }
    return ok([...entries.values()]);
  }

  async get(group: string, plan: Plan): Promise<Result<GroupObservation>> {
    const change = this.#changes.get(group);
    const isBehind = plan.kind === 'stale' && change !== undefined && this.#options.now() - change.at <= staleMs;
    if (!isBehind) return this.groups.get(group, signal);
    return change.before === undefined
      ? fail({ kind: 'not-found', code: 'ResourceNotFound', message: `${group} was not found.` })
      : ok(change.before);
  }

  async put(group: string, body: GroupBody, plan: Plan): ReturnType<ContainerGroups['createOrUpdate']> {
    this.#options.onBody(this.uidOf(group), JSON.stringify(body, withoutSecrets));
    const before = await this.peek(group);
    if (before?.provisioningState === 'Deleting') return fail(transitioning(group));
    const put = await this.groups.createOrUpdate(group, body, signal);
    if (!put.ok) return put;
    this.#erase(group, before, 'put');
    this.#record(group, body, plan);
    this.#changed(group, before);
    if (plan.kind === 'operation lost') this.#lose(group, plan);
    return put;
  }

  async stop(group: string): ReturnType<ContainerGroups['stop']> {
    const before = await this.peek(group);
    const stopped = await this.groups.stop(group, signal);
    if (!stopped.ok || before === undefined) return stopped;
    const after = await this.peek(group);
    if (after?.state === 'Stopped' && before.state !== 'Stopped') {
      this.#erase(group, before, 'stop');
      this.#changed(group, before);
    }
    return stopped;
  }

  /** At once (200), or later (202): then the group shows `Deleting` until it is gone. */
  async delete(group: string, plan: Plan): ReturnType<ContainerGroups['delete']> {
    const before = await this.peek(group);
    if (before === undefined) return ok('absent');
    if (before.provisioningState === 'Deleting') return ok('accepted');
    this.#erase(group, before, 'delete');
    this.#changed(group, before);
    if (plan.kind !== 'delete takes long') return this.groups.delete(group, signal);
    this.groups.overrideGroup(group, (seen) => ({ ...seen, provisioningState: 'Deleting' }));
    this.#options.in(2_000 + plan.backMs * 300, () => this.groups.removeGroup(group));
    return ok('accepted');
  }

  /** Somebody outside of the app deletes the group. */
  async takeAway(group: string): Promise<void> {
    const before = await this.peek(group);
    if (before === undefined || before.provisioningState === 'Deleting') return;
    const current = this.incarnations.get(this.uidOf(group))?.at(-1);
    if (current !== undefined) current.evidence = this.#options.evidenceOf(current.uid);
    this.groups.removeGroup(group);
    this.#erase(group, before, 'world');
    this.#changed(group, before);
  }

  #record(group: string, body: GroupBody, plan: Plan): void {
    const now = this.#options.now();
    const uid = this.uidOf(group);
    const fails = plan.kind === 'provisioning fails';
    const own = this.incarnations.get(uid) ?? [];
    const incarnation: Incarnation = {
      group,
      uid,
      restartPolicy: body.restartPolicy,
      at: now,
      startsAt: now + provisioningMs,
      fails,
      erased: undefined,
      last: undefined,
      evidence: 'none',
    };
    own.push(incarnation);
    this.incarnations.set(uid, own);
    this.#options.note(uid, `ARM: PUT takes effect${fails ? ', and its provisioning will fail' : ''}`);
    this.#options.onGroup(incarnation, body);
    if (fails) this.groups.overrideGroup(group, failedToProvision(now + 3_000, this.#options.now));
  }

  /** The operation is lost at once, or some seconds after the group came up. */
  #lose(group: string, plan: Plan): void {
    if (plan.backMs % 2 === 0) void this.takeAway(group);
    else this.#options.in(12_000, () => void this.takeAway(group));
  }

  #erase(group: string, last: GroupObservation | undefined, by: 'stop' | 'delete' | 'put' | 'world'): void {
    const current = this.incarnations.get(this.uidOf(group))?.at(-1);
    if (current === undefined || last === undefined) return;
    this.#options.note(current.uid, `ARM: ${by} ends the group, which was ${last.provisioningState}/${last.state}`);
    current.erased ??= { at: this.#options.now(), by };
    current.last ??= last;
  }

  #changed(group: string, before: GroupObservation | undefined): void {
    this.#changes.set(group, { at: this.#options.now(), before });
  }
}

const secretMembers: ReadonlySet<string> = new Set(['secureValue', 'secret', 'password']);
const withoutSecrets = (key: string, value: unknown): unknown => (secretMembers.has(key) ? undefined : value);

const transitioning = (group: string): Fault => ({
  kind: 'conflict',
  code: 'ContainerGroupTransitioning',
  message: `The container group '${group}' is still transitioning, please retry later.`,
});

const failedToProvision =
  (from: number, now: () => number) =>
  (seen: GroupObservation): GroupObservation => {
    const containers = seen.containers.map(({ name, image }) => ({ name, image }));
    const initContainers = seen.initContainers.map(({ name, image }) => ({ name, image }));
    const provisioningState = now() < from ? 'Pending' : 'Failed';
    return { ...seen, provisioningState, state: 'Pending', containers, initContainers };
  };

/** The core count of an old entry is of no consequence to who deletes; only the node's share reads it. */
const listedFrom = (seen: GroupObservation): ListedGroup => ({
  name: seen.name,
  tags: seen.tags,
  provisioningState: seen.provisioningState,
  cpu: 1,
});
