import type { PodChange } from '../../infra/local/sim/cluster-pods.ts';
import type { ContainerStatus, Pod } from '../../shared/core/kubernetes/pod.ts';
import { restartPolicyOf } from '../../shared/core/status/restart.ts';

/** One pod's life as the API server showed it. */
export interface PodHistory {
  readonly uid: string;
  readonly name: string;
  /** Each change of phase, in order. */
  readonly phases: string[];
  /** The last sight of the object. */
  pod: Pod;
  isGone: boolean;
  /** Somebody else than the app removed the object, with no word to the kubelet. */
  isForced: boolean;
  /** The first sight of an end that is the last word on a container, by its name. */
  readonly ends: Map<string, string>;
}

/** Watches all pods, and says at once when something is told that may never be told (O3, O4). */
export class Recorder {
  readonly histories = new Map<string, PodHistory>();
  readonly violations: string[] = [];

  see(change: PodChange, pod: Pod): void {
    const { uid, name } = pod.metadata;
    const history: PodHistory = this.histories.get(uid) ?? {
      uid,
      name,
      phases: [],
      pod,
      isGone: false,
      isForced: false,
      ends: new Map(),
    };
    this.histories.set(uid, history);
    if (history.phases.at(-1) !== pod.status.phase) this.#seePhase(history, pod.status.phase);
    for (const status of pod.status.initContainerStatuses) this.#seeEnd(history, { pod, status, isInit: true });
    for (const status of pod.status.containerStatuses) this.#seeEnd(history, { pod, status, isInit: false });
    history.pod = pod;
    history.isGone = change === 'deleted';
  }

  /** O4: phase never goes back, and a final one stays. */
  #seePhase(history: PodHistory, phase: string): void {
    const before = history.phases.at(-1);
    history.phases.push(phase);
    if (before !== undefined && (rank[phase] ?? -1) <= (rank[before] ?? 0))
      this.violations.push(`O4 ${history.uid}: phase went ${history.phases.join(' → ')}`);
  }

  /** An end that is a container's last word is never taken back. */
  #seeEnd(
    history: PodHistory,
    { pod, status, isInit }: { readonly pod: Pod; readonly status: ContainerStatus; readonly isInit: boolean },
  ): void {
    const { state, name } = status;
    const known = history.ends.get(name);
    const said = state.kind === 'terminated' ? `${state.exitCode} at ${state.finishedAt ?? 'no time'}` : state.kind;
    if (known !== undefined) {
      if (known !== said) this.violations.push(`O3 ${history.uid}/${name}: ended with ${known}, and later ${said}`);
      return;
    }
    const container = [...pod.spec.initContainers, ...pod.spec.containers].find((one) => one.name === name);
    if (container === undefined || state.kind !== 'terminated' || state.reason === 'ContainerStatusUnknown') return;
    const policy = restartPolicyOf(pod, container, isInit);
    if (policy === 'Never' || (policy === 'OnFailure' && state.exitCode === 0)) history.ends.set(name, said);
  }
}

const rank: Readonly<Record<string, number>> = { Pending: 0, Running: 1, Succeeded: 2, Failed: 2 };
