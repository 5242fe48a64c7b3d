import { groupOwner } from '../../../../shared/core/group/identity.ts';
import type { GroupBody, GroupObservation, ObservedState } from '../../../../shared/core/group/group.ts';
import { isTerminalPhase } from '../../../../shared/core/kubernetes/pod.ts';
import type { ContainerStatus } from '../../../../shared/core/kubernetes/pod.ts';
import type { PodRow } from '../../../../shared/core/reconcile/pod-row.ts';
import { containersOf } from '../../../../shared/core/pod-events/pod-event.ts';
import type { PodStory } from './pod-stories.ts';
import type { Report } from './violation.ts';
import { terms } from './window.ts';

/** One request of a process to ARM, and what came of it. */
export interface ArmCall {
  /** Which process. */
  readonly by: string;
  /** `groups.get`, `groups.createOrUpdate`. */
  readonly name: string;
  readonly group: string;
  /** It was taken, and was about a group that is there. */
  readonly isDone: boolean;
  /** What a GET showed. */
  readonly shown?: GroupObservation;
  /** What a PUT sent. */
  readonly body?: GroupBody;
}

export type ArmWrite = 'groups.createOrUpdate' | 'groups.stop' | 'groups.delete';
const armWrites: ReadonlySet<string> = new Set<ArmWrite>(['groups.createOrUpdate', 'groups.stop', 'groups.delete']);
export const isArmWrite = ({ name }: { readonly name: string }): boolean => armWrites.has(name);

export interface ArmWitnessOptions {
  readonly now: () => number;
  readonly rows: () => readonly PodRow[];
  readonly stories: ReadonlyMap<string, PodStory>;
  readonly report: Report;
}

/** Sees every request to ARM, and reports each write that may not be (O2, O3). */
export class ArmWitness {
  /** All requests, in order. */
  readonly requests: { readonly name: string; readonly at: number }[] = [];
  /** Locks are lost with the tables; until the terms of those are over nobody knows who held one. */
  tablesLostAt = -Infinity;
  /** ARM's answers to the app: the last state shown of each container, by group. */
  readonly #shown = new Map<string, GroupObservation>();
  readonly #options: ArmWitnessOptions;

  constructor(options: ArmWitnessOptions) {
    this.#options = options;
  }

  see(call: ArmCall): void {
    this.requests.push({ name: call.name, at: this.#options.now() });
    if (call.shown !== undefined) this.#shown.set(call.group, call.shown);
    if (!isArmWrite(call) || !call.isDone) return;
    this.#holdsLock(call);
    if (call.body === undefined) this.#hasHarvested(call);
    else this.#isForTheLiving(call.body);
  }

  /**
   * O2, rule 2: who changes a group holds the lock of its pod, and its term is not over. Only what arrives in the
   * documented window may break this. When the tables were lost a moment ago, the lock of who worked is lost as well;
   * a PUT can only have been under way then, and none follows before the tables are 60 s old.
   */
  #holdsLock({ by, name, group }: ArmCall): void {
    const now = this.#options.now();
    const row = this.#options.rows().find((one) => one.group === group);
    const afterLossMs = name === 'groups.createOrUpdate' ? terms.birthMs : terms.lockMs;
    if (row === undefined || now - this.tablesLostAt < afterLossMs) return;
    // A PUT is also covered by its intent: nobody else sends one before it is old.
    const isCovered = row.intent.kind === 'open' && now - row.intent.at < terms.openIntentMs;
    if (name === 'groups.createOrUpdate' && isCovered) return;
    const left = (row.lock?.until ?? -Infinity) - now;
    if (row.lock?.owner.startsWith(`${by}/`) === true && left > 0) return;
    const holder = row.lock === undefined ? 'nobody' : `${row.lock.owner} for ${left} ms`;
    this.#options.report('O2', `${by} sends ${name} and its lock is held by ${holder}`, row.uid);
  }

  /** O2: nothing is started for a pod that is over. A kubelet may be late as well, but not by more than a lock's term. */
  #isForTheLiving(body: GroupBody): void {
    const story = this.#options.stories.get(groupOwner(body.tags)?.uid ?? '');
    if (story === undefined) return;
    const isOver = isTerminalPhase(story.pod.status.phase);
    if (isOver || (story.goneAt !== undefined && this.#options.now() - story.goneAt > terms.birthMs))
      this.#options.report('O2', `a group is PUT for a pod that is ${isOver ? 'over' : 'gone'}`, story.uid);
  }

  /** O3, rule 6: an end that ARM has shown is in the pod's status before anything erases it. */
  #hasHarvested({ name, group }: ArmCall): void {
    const seen = this.#shown.get(group);
    const story = this.#options.stories.get(groupOwner(seen?.tags ?? {})?.uid ?? '');
    if (seen === undefined || story === undefined || story.goneAt !== undefined) return;
    const { initContainerStatuses, containerStatuses } = story.pod.status;
    const statuses = new Map([...initContainerStatuses, ...containerStatuses].map((status) => [status.name, status]));
    // What the app has put beside them is in no status.
    const ofPod = new Set(containersOf(story.pod).map(({ name: container }) => container));
    for (const { name: container, instanceView } of [...seen.initContainers, ...seen.containers]) {
      if (!ofPod.has(container)) continue;
      const shown = instanceView?.currentState;
      if (shown?.state === 'Terminated' && !knowsEnd(statuses.get(container), shown)) {
        const text = `${name} erases the end of ${container} (${shown.exitCode}), which is in no status`;
        this.#options.report('O3', text, story.uid);
      }
    }
  }
}

/** An end that is final stays the end, should a new group run the container once more: then its code is enough. */
const knowsEnd = (status: ContainerStatus | undefined, shown: ObservedState): boolean =>
  [status?.state, status?.lastState].some((state) => state?.kind === 'terminated' && state.exitCode === shown.exitCode);
