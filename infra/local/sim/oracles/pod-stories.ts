import { isTerminalPhase } from '../../../../shared/core/kubernetes/pod.ts';
import type { ContainerStatus, Pod, RestartPolicy } from '../../../../shared/core/kubernetes/pod.ts';
import type { PodChange } from '../cluster-pods.ts';
import type { Report } from './violation.ts';

/** What became of one pod, as the API server had it. */
export interface PodStory {
  readonly uid: string;
  /** As it was last seen. */
  pod: Pod;
  /** When somebody asked for its deletion. */
  deletedAt: number | undefined;
  goneAt: number | undefined;
  /** Taken away by another hand than the app's: nobody could write down how it ended. */
  wasForced: boolean;
  /** What was first reported each end that is a container's last word, by the container's name. */
  readonly lastWords: Map<string, string>;
}

export interface PodStoriesOptions {
  readonly now: () => number;
  readonly report: Report;
}

/** Watches all pods, and reports what may never be reported one (O3, O4). */
export class PodStories {
  /** By UID. */
  readonly all = new Map<string, PodStory>();
  readonly #options: PodStoriesOptions;

  constructor(options: PodStoriesOptions) {
    this.#options = options;
  }

  see(change: PodChange, pod: Pod): void {
    const { uid } = pod.metadata;
    const now = this.#options.now();
    const known = this.all.get(uid);
    const story: PodStory = known ?? {
      uid,
      pod,
      deletedAt: undefined,
      goneAt: undefined,
      wasForced: false,
      lastWords: new Map(),
    };
    if (known !== undefined) this.#goesForward(known.pod, pod);
    this.#keepsItsWord(story, pod);
    if (pod.metadata.deletionTimestamp !== undefined || change === 'deleted') story.deletedAt ??= now;
    if (change === 'deleted') {
      story.goneAt = now;
      story.wasForced = !isTerminalPhase(pod.status.phase);
    }
    story.pod = pod;
    this.all.set(uid, story);
  }

  /** O4: phase never goes back, a terminal one is final, no restart is forgotten, and no run comes after a later one. */
  #goesForward(before: Pod, after: Pod): void {
    const from = before.status.phase;
    const to = after.status.phase;
    if (ranks[to] < ranks[from] || (isTerminalPhase(from) && from !== to))
      this.#options.report('O4', `phase goes from ${from} to ${to}`, after.metadata.uid);
    for (const status of after.status.containerStatuses) {
      const known = before.status.containerStatuses.find(({ name }) => name === status.name);
      if (known !== undefined && status.restartCount < known.restartCount)
        this.#options.report('O4', `restartCount of ${status.name} falls`, after.metadata.uid);
      if (known !== undefined && startOf(status) < startOf(known))
        this.#options.report('O4', `${status.name} goes back to an earlier run`, after.metadata.uid);
    }
  }

  /** O3: an end that is a container's last word is never taken back. */
  #keepsItsWord(story: PodStory, pod: Pod): void {
    const { initContainerStatuses, containerStatuses } = pod.status;
    for (const status of initContainerStatuses) this.#keepsWordOf(story, status, policyOf(pod, true));
    for (const status of containerStatuses) this.#keepsWordOf(story, status, policyOf(pod, false));
  }

  #keepsWordOf({ uid, lastWords }: PodStory, { name, state }: ContainerStatus, policy: RestartPolicy): void {
    const known = lastWords.get(name);
    const said = state.kind === 'terminated' ? `${state.exitCode} at ${state.finishedAt ?? 'no time'}` : state.kind;
    if (known !== undefined && known !== said)
      this.#options.report('O3', `${name} ended with ${known}, and later ${said}`, uid);
    if (known !== undefined || state.kind !== 'terminated' || state.reason === 'ContainerStatusUnknown') return;
    if (isLastRun(policy, state.exitCode)) lastWords.set(name, said);
  }
}

/** Of the last run that the status knows of, ms; before the first: 0. */
function startOf({ state, lastState }: ContainerStatus): number {
  const run = state.kind === 'waiting' ? lastState : state;
  return run === undefined || run.kind === 'waiting' ? 0 : Date.parse(run.startedAt ?? '') || 0;
}

const ranks = { Unknown: 0, Pending: 1, Running: 2, Succeeded: 3, Failed: 3 };

/** What happens to a container that has ended: an init container under `Always` is run again only when it failed. */
export const policyOf = ({ spec: { restartPolicy } }: Pod, isInit: boolean): RestartPolicy =>
  isInit && restartPolicy === 'Always' ? 'OnFailure' : restartPolicy;

/** Nobody runs the container again after this end. */
export const isLastRun = (policy: RestartPolicy, exitCode: number | undefined): boolean =>
  policy === 'Never' || (policy === 'OnFailure' && exitCode === 0);
