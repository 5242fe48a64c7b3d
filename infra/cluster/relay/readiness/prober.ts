import pLimit from 'p-limit';
import { defined } from '../../../../shared/core/defined.ts';
import { mostReadinessMessage } from '../../../../shared/wire/relay-protocol/bounds.ts';
import type { PodKey } from '../../../../shared/wire/relay-protocol/pod-events.ts';
import { firstState, nextState } from './probe-state.ts';
import type { ProbeState } from './probe-state.ts';
import type { ReadinessTarget } from './targets.ts';

export interface ProberOptions {
  /** `run-probe.ts`. */
  readonly run: (target: ReadinessTarget) => Promise<string | undefined>;
  /** Hears what the status does not say yet; at least once, and again until it does. */
  readonly onReport: (pod: PodKey) => void;
  readonly random: () => number;
}

/** A pod with containers to probe. */
export interface ProbedPod {
  readonly key: PodKey;
  readonly targets: readonly ReadinessTarget[];
}

/** So many probes are under way at once; more wait, which only makes their period longer. */
const atOnce = 64;
/** What the status does not say after this time is reported again. */
const againMs = 5_000;
/** A failure that lasts is an event again, before the API server drops the last. */
const repeatMessageMs = 600_000;

interface Run {
  target: ReadinessTarget;
  key: PodKey;
  state: ProbeState;
  /** The last failure that was reported, and when. */
  reported: { readonly message: string | undefined; readonly at: number } | undefined;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Probes the readiness of each container that runs and has such a probe, as a kubelet does: from its start on after
 * `initialDelaySeconds`, every `periodSeconds`, spread at first. Keeps nothing: the status has the last word on each run.
 */
export class ReadinessProber {
  readonly #options: ProberOptions;
  readonly #limit = pLimit(atOnce);
  /** By the pod's UID, then by container and start. */
  readonly #pods = new Map<string, Map<string, Run>>();
  #isClosed = false;

  constructor(options: ProberOptions) {
    this.#options = options;
  }

  /** How many containers are probed. */
  get size(): number {
    return [...this.#pods.values()].reduce((sum, runs) => sum + runs.size, 0);
  }

  /** Takes a pod as the API server has it now, in place of what was known of it. */
  set({ key, targets }: ProbedPod): void {
    if (this.#isClosed) return;
    const known = this.#pods.get(key.uid) ?? new Map<string, Run>();
    const runs = new Map<string, Run>();
    for (const target of targets) {
      const name = `${target.container}/${target.startedAt}`;
      const run = known.get(name) ?? this.#begin(key, target);
      run.key = key;
      run.target = target;
      runs.set(name, run);
      known.delete(name);
    }
    for (const run of known.values()) clearTimeout(run.timer);
    if (runs.size === 0) this.#pods.delete(key.uid);
    else this.#pods.set(key.uid, runs);
  }

  remove(uid: string): void {
    for (const run of this.#pods.get(uid)?.values() ?? []) clearTimeout(run.timer);
    this.#pods.delete(uid);
  }

  /** Ends all timers; a probe that is under way ends without an effect. */
  close(): void {
    this.#isClosed = true;
    for (const uid of this.#pods.keys()) this.remove(uid);
  }

  #begin(key: PodKey, target: ReadinessTarget): Run {
    const run: Run = { target, key, state: firstState(target.ready), reported: undefined, timer: undefined };
    const { initialDelaySeconds, periodSeconds } = target.probe;
    const delayMs = Date.parse(target.startedAt) + initialDelaySeconds * 1000 - Date.now();
    // A relay that begins to lead finds all pods at once; a container that has just started is not kept waiting.
    const spreadMs = delayMs > -periodSeconds * 1000 ? 0 : this.#options.random() * periodSeconds * 1000;
    this.#plan(run, Math.max(0, Math.min(delayMs, initialDelaySeconds * 1000)) + spreadMs);
    return run;
  }

  #plan(run: Run, inMs: number): void {
    run.timer = setTimeout(() => void this.#probe(run), inMs);
  }

  async #probe(run: Run): Promise<void> {
    const startedAt = performance.now();
    const failure = await this.#limit(() => this.#options.run(run.target));
    if (!this.#isProbed(run)) return;
    run.state = nextState(run.state, failure === undefined ? 'success' : 'failure', run.target.probe);
    this.#report(run, failure?.slice(0, mostReadinessMessage));
    this.#plan(run, Math.max(0, run.target.probe.periodSeconds * 1000 - (performance.now() - startedAt)));
  }

  #isProbed(run: Run): boolean {
    const runs = this.#pods.get(run.key.uid);
    return !this.#isClosed && runs !== undefined && [...runs.values()].includes(run);
  }

  #report(run: Run, message: string | undefined): void {
    const { target, key, state, reported } = run;
    const now = performance.now();
    const ageMs = now - (reported?.at ?? -Infinity);
    const isOdd = state.ready !== target.ready && (ageMs >= againMs || reported?.message !== message);
    const isFailureNews = message !== undefined && (reported?.message !== message || ageMs >= repeatMessageMs);
    if (!isOdd && !isFailureNews) return;
    run.reported = { message, at: now };
    const others = [...(this.#pods.get(key.uid)?.values() ?? [])].filter(
      (other) => other !== run && other.state.ready !== other.target.ready,
    );
    const reports = [{ ...reportOf(run), ...defined({ message }) }, ...others.map(reportOf)];
    this.#options.onReport({ ...key, readiness: reports });
  }
}

const reportOf = ({ target: { container, startedAt }, state: { ready } }: Run) => ({ container, startedAt, ready });
