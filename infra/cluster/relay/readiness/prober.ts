import pLimit from 'p-limit';
import { defined } from '../../../../shared/core/defined.ts';
import { mostReadinessMessage } from '../../../../shared/wire/relay-protocol/bounds.ts';
import type { PodKey } from '../../../../shared/wire/relay-protocol/pod-events.ts';
import type { ProbeCount } from './probe-counts.ts';
import { firstState, nextState } from './probe-state.ts';
import type { ProbeState } from './probe-state.ts';
import { longestTimerMs } from './run-probe.ts';
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

/** So many probes are begun at once; more wait, which only makes their period longer. */
const atOnce = 64;
/** One that is not answered by then no longer holds up others: it costs a socket, of which each container has one. */
const quickMs = 250;
/** What the status does not say after this time is reported again. */
const againMs = 5_000;
/** A failure in other words than the last is reported no sooner: each is an event, and a pod may say something new each time. */
const otherMessageMs = 60_000;
/** A failure that lasts is an event again, before the API server drops the last. */
const repeatMessageMs = 600_000;

interface Run {
  target: ReadinessTarget;
  key: PodKey;
  state: ProbeState;
  /** Of all runs of the container that were seen. */
  readonly made: { successful: number; failed: number };
  /** What was reported last, and when. */
  reported: { readonly ready: boolean; readonly at: number } | undefined;
  /** The last failure that was reported, and when. */
  explained: { readonly message: string; readonly at: number } | undefined;
  /** Of the next probe. */
  timer: NodeJS.Timeout | undefined;
  /** Of saying again what the status does not say yet: a report may have been lost. */
  again: NodeJS.Timeout | undefined;
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

  /** How often each container was probed. */
  get counts(): readonly ProbeCount[] {
    const runs = [...this.#pods.values()].flatMap((pod) => [...pod.values()]);
    return runs.map(({ key: pod, target, made }) => ({ pod, container: target.container, ...made }));
  }

  /** Takes a pod as the API server has it now, in place of what was known of it. */
  set({ key, targets }: ProbedPod): void {
    if (this.#isClosed) return;
    const known = this.#pods.get(key.uid) ?? new Map<string, Run>();
    const runs = new Map<string, Run>();
    for (const target of targets) {
      const name = `${target.container}/${target.startedAt}`;
      const run = known.get(name) ?? this.#begin(key, target, madeOf(known, target.container));
      run.key = key;
      run.target = target;
      this.#remind(run);
      runs.set(name, run);
      known.delete(name);
    }
    for (const run of known.values()) end(run);
    if (runs.size === 0) this.#pods.delete(key.uid);
    else this.#pods.set(key.uid, runs);
  }

  remove(uid: string): void {
    for (const run of this.#pods.get(uid)?.values() ?? []) end(run);
    this.#pods.delete(uid);
  }

  /** Ends all timers; a probe that is under way ends without an effect. */
  close(): void {
    this.#isClosed = true;
    for (const uid of this.#pods.keys()) this.remove(uid);
  }

  #begin(key: PodKey, target: ReadinessTarget, made: Run['made']): Run {
    const none = { reported: undefined, explained: undefined, timer: undefined, again: undefined };
    const run: Run = { target, key, state: firstState(target.ready), made, ...none };
    const { initialDelaySeconds, periodSeconds } = target.probe;
    const delayMs = Date.parse(target.startedAt) + initialDelaySeconds * 1000 - Date.now();
    // A relay that begins to lead finds all pods at once; a container that has just started is not kept waiting.
    const spreadMs = delayMs > -periodSeconds * 1000 ? 0 : this.#options.random() * periodSeconds * 1000;
    this.#plan(run, Math.max(0, Math.min(delayMs, initialDelaySeconds * 1000)) + spreadMs);
    return run;
  }

  #plan(run: Run, inMs: number): void {
    run.timer = setTimeout(() => void this.#probe(run), Math.min(inMs, longestTimerMs));
  }

  async #probe(run: Run): Promise<void> {
    const startedAt = performance.now();
    const probe = await this.#limit(async () => {
      // It may have waited for long.
      if (!this.#isProbed(run)) return undefined;
      const answer = this.#options.run(run.target);
      await atMost(answer, quickMs);
      return { answer };
    });
    const failure = await probe?.answer;
    if (!this.#isProbed(run)) return;
    run.made[failure === undefined ? 'successful' : 'failed'] += 1;
    run.state = nextState(run.state, failure === undefined ? 'success' : 'failure', run.target.probe);
    this.#report(run, failure?.slice(0, mostReadinessMessage));
    this.#remind(run);
    this.#plan(run, Math.max(0, run.target.probe.periodSeconds * 1000 - (performance.now() - startedAt)));
  }

  #isProbed(run: Run): boolean {
    const runs = this.#pods.get(run.key.uid);
    return !this.#isClosed && runs !== undefined && [...runs.values()].includes(run);
  }

  /** While the status says something else, it is reported again, however far the next probe is. */
  #remind(run: Run): void {
    const isOdd = run.state.ready !== run.target.ready;
    if (!isOdd) {
      clearTimeout(run.again);
      run.again = undefined;
      return;
    }
    run.again ??= setTimeout(() => {
      run.again = undefined;
      this.#report(run, undefined);
      this.#remind(run);
    }, againMs);
  }

  #report(run: Run, message: string | undefined): void {
    const { target, key, state, reported, explained } = run;
    const now = performance.now();
    const isOld = reported === undefined || now - reported.at >= againMs;
    // Also when the status says so already: the report of the opposite may be on its way.
    const isTurn = reported !== undefined && reported.ready !== state.ready;
    const isOdd = isTurn || (isOld && state.ready !== target.ready);
    const quietMs = explained?.message === message ? repeatMessageMs : otherMessageMs;
    const isFailureNews = message !== undefined && (explained === undefined || now - explained.at >= quietMs);
    if (!isOdd && !isFailureNews) return;
    run.reported = { ready: state.ready, at: now };
    if (message !== undefined) run.explained = { message, at: now };
    const others = [...(this.#pods.get(key.uid)?.values() ?? [])].filter(
      (other) => other !== run && other.state.ready !== other.target.ready,
    );
    const reports = [{ ...reportOf(run), ...defined({ message }) }, ...others.map(reportOf)];
    this.#options.onReport({ ...key, readiness: reports });
  }
}

const madeOf = (known: ReadonlyMap<string, Run>, container: string): Run['made'] =>
  [...known.values()].find(({ target }) => target.container === container)?.made ?? { successful: 0, failed: 0 };

const reportOf = ({ target: { container, startedAt }, state: { ready } }: Run) => ({ container, startedAt, ready });

function end({ timer, again }: Run): void {
  clearTimeout(timer);
  clearTimeout(again);
}

/** Until the promise, which never rejects, or for so long. */
async function atMost(promise: Promise<unknown>, ms: number): Promise<void> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(late.resolve, ms, undefined);
  await Promise.race([promise, late.promise]);
  clearTimeout(timer);
}
