import { backoffMs } from '../../../../shared/core/backoff/backoff.ts';
import type { Log } from '../../../../shared/ports/log.ts';
import { latestTickMs } from '../../../../shared/wire/relay-protocol/bounds.ts';
import type { PodEvents, PodKey } from '../../../../shared/wire/relay-protocol/pod-events.ts';
import type { ResourceMeter } from '../resource-metrics/resource-meter.ts';
import { endlessTerm } from '../election/term.ts';
import type { Term } from '../election/term.ts';
import type { AppClient } from './app-client.ts';
import { Outbox } from './outbox.ts';
import type { Batch } from './outbox.ts';
import { postOutcome } from './post-outcome.ts';
import type { PostOutcome } from './post-outcome.ts';
import type { Transitions } from './transitions.ts';

export interface PosterOptions {
  readonly app: Pick<AppClient, 'postEvents'>;
  /** New with each time that a process leads. */
  readonly epoch: string;
  /** Nothing is posted when it is over; absent: it never is. */
  readonly term?: Term;
  /** Whether any of our nodes has a pod: without one, and with nothing due, the app is left to sleep. */
  readonly hasPods: () => boolean;
  readonly log: Log;
  readonly random: () => number;
  /** Hears what became of each post, ticks included, and how long it took. */
  readonly onOutcome?: (outcome: PostOutcome, durationMs: number) => void;
  /** What a tick asks for besides, of an app that knows such questions; absent: nothing. */
  readonly metrics?: Pick<ResourceMeter, 'takeQueries' | 'take'>;
  /** Gives each change its trace; absent: none has one. */
  readonly transitions?: Transitions;
}

const lanes = 16;
/** What waits is spread over so many lanes at most: the others are for what comes while these are on their way. */
const lanesAtOnce = 4;
const debounceMs = 50;
const backoff = { baseMs: 1000, maxMs: 15_000 };

/**
 * Posts what the reflectors say, and ticks when the app asked for one (docs/architecture.md, The walk of one pod). A burst comes over some tenths of a
 * second, and a post lasts as long as two calls of ARM: lanes are kept for what comes next, sixteen in all. While the app
 * fails, one at a time, 0.5 to 15 s apart, for ever. One tick at a time, beside them. An app that did not know us is asked
 * again as soon as a pod changes, once a second at most: the pod was bound to a Node that the app has made meanwhile.
 */
export class Poster {
  readonly #options: PosterOptions;
  readonly #outbox = new Outbox();
  readonly #stop = new AbortController();
  #seq = 0;
  #busyLanes = 0;
  #failures = 0;
  /** Monotonic ms before which nothing is posted. */
  #notBefore = 0;
  /** While the app does not know us: when it may be asked again after news. */
  #afterNewsAt: number | undefined;
  #wake: NodeJS.Timeout | undefined;
  #tickTimer: NodeJS.Timeout | undefined;
  #tickAt = Infinity;
  #isTicking = false;
  #lastTickInMs = latestTickMs;
  #answersMetrics = false;
  readonly #unknownNodes = new Set<string>();
  #removedNodes: ReadonlySet<string> = new Set();

  constructor(options: PosterOptions) {
    this.#options = options;
  }

  /** Keys that the app has not taken yet. */
  get backlog(): number {
    return this.#outbox.size;
  }

  onChange(pod: PodKey): void {
    this.#outbox.add(this.#options.transitions?.begin(pod) ?? pod);
    if (this.#afterNewsAt !== undefined && this.#afterNewsAt < this.#notBefore) {
      this.#notBefore = this.#afterNewsAt;
      clearTimeout(this.#wake);
      this.#wake = undefined;
    }
    this.#wakeIn(debounceMs);
  }

  onSnapshot(pods: readonly PodKey[]): void {
    this.#outbox.addSnapshot(pods);
    this.#wakeIn(debounceMs);
  }

  /** Whether the app last said that the node is being taken out for good. */
  isRemoved(node: string): boolean {
    return this.#removedNodes.has(node);
  }

  /** A tick now, whatever was planned; one that is on its way serves as well. */
  tickNow(): void {
    void this.#tick();
  }

  /** Ends all timers and posts. What was not taken is lost here, and in the next process's snapshot. */
  close(): void {
    this.#stop.abort();
    clearTimeout(this.#wake);
    clearTimeout(this.#tickTimer);
    this.#options.transitions?.close();
  }

  #wakeIn(ms: number): void {
    if (this.#stop.signal.aborted || this.#wake !== undefined) return;
    const wait = Math.max(ms, this.#notBefore - performance.now());
    this.#wake = setTimeout(() => {
      this.#wake = undefined;
      this.#fillLanes();
    }, wait);
  }

  #fillLanes(): void {
    if (this.#stop.signal.aborted) return;
    if (performance.now() < this.#notBefore) {
      this.#wakeIn(0);
      return;
    }
    // Who does not know us is not overloaded: what came first must not hold up the rest.
    const open = this.#failures === 0 || this.#afterNewsAt !== undefined ? lanes : 1;
    for (let free = Math.min(lanesAtOnce, open - this.#busyLanes); free > 0; free -= 1) {
      const batch = this.#outbox.take(free);
      if (batch === undefined) return;
      this.#busyLanes += 1;
      void this.#post(batch);
    }
  }

  async #post(batch: Batch): Promise<void> {
    const outcome = await this.#send(batch.kind, batch.pods);
    this.#busyLanes -= 1;
    if (this.#stop.signal.aborted) return;
    this.#outbox.settle(batch, outcome.kind === 'again' ? 'again' : 'done');
    if (outcome.kind !== 'again') this.#options.transitions?.end(batch.pods, outcome.kind);
    this.#learn(outcome, { kind: batch.kind, pods: batch.pods.length });
    if (outcome.kind === 'taken') this.#planTick(Math.min(this.#tickAt, performance.now() + outcome.nextTickInMs));
    if (this.#outbox.isReady) this.#wakeIn(0);
  }

  async #tick(): Promise<void> {
    if (this.#isTicking || this.#stop.signal.aborted) return;
    this.#isTicking = true;
    this.#planTick(Infinity);
    const outcome = await this.#send('tick', []);
    this.#isTicking = false;
    if (this.#stop.signal.aborted) return;
    this.#learn(outcome, { kind: 'tick', pods: 0 });
    const nextInMs = outcome.kind === 'taken' ? outcome.nextTickInMs : latestTickMs;
    this.#planTick(performance.now() + (outcome.kind === 'again' ? this.#notBefore - performance.now() : nextInMs));
  }

  #planTick(at: number): void {
    clearTimeout(this.#tickTimer);
    this.#tickAt = at;
    if (at === Infinity) return;
    this.#tickTimer = setTimeout(
      () => {
        if (this.#options.hasPods() || this.#lastTickInMs < latestTickMs) void this.#tick();
        else this.#tickAt = Infinity;
      },
      Math.max(0, at - performance.now()),
    );
  }

  async #send(kind: PodEvents['kind'], pods: readonly PodKey[]): Promise<PostOutcome> {
    const metrics = kind === 'tick' && this.#answersMetrics ? (this.#options.metrics?.takeQueries() ?? []) : [];
    const events: PodEvents = {
      epoch: this.#options.epoch,
      seq: this.#seq,
      kind,
      pods: [...pods],
      ...(metrics.length === 0 ? {} : { metrics: [...metrics] }),
    };
    this.#seq += 1;
    const { app, term = endlessTerm, onOutcome } = this.#options;
    const startedAt = performance.now();
    const outcome = postOutcome(await app.postEvents(JSON.stringify(events), this.#stop.signal, term));
    // Of what was asked for nothing was heard: it is asked for again.
    if (metrics.length > 0 && (outcome.kind !== 'taken' || outcome.metrics === undefined))
      this.#options.metrics?.take({ pods: [], retryInMs: 0 });
    if (!this.#stop.signal.aborted) onOutcome?.(outcome, performance.now() - startedAt);
    return outcome;
  }

  /** Once for each node: every post would say it again. */
  #noteUnknown(nodes: readonly string[]): void {
    for (const node of nodes.filter((name) => !this.#unknownNodes.has(name))) {
      this.#unknownNodes.add(node);
      this.#options.log.warn('the app does not know this node', { node });
    }
  }

  #learn(outcome: PostOutcome, fields: { readonly kind: string; readonly pods: number }): void {
    const { log } = this.#options;
    switch (outcome.kind) {
      case 'taken':
        if (this.#failures > 0) log.info('the app answers again', { afterFailures: this.#failures });
        this.#failures = 0;
        this.#notBefore = 0;
        this.#afterNewsAt = undefined;
        this.#lastTickInMs = outcome.nextTickInMs;
        this.#answersMetrics = outcome.metrics !== undefined;
        if (outcome.metrics !== undefined) this.#options.metrics?.take(outcome.metrics);
        this.#noteUnknown(outcome.unknownNodes);
        this.#removedNodes = new Set(outcome.removedNodes);
        return;
      case 'refused':
        // It may be an older app, which does not know the question for metrics.
        this.#answersMetrics = false;
        log.warn('the app refused a post for good; its pods wait for the sweep', { ...fields, status: outcome.status });
        return;
      case 'again': {
        const now = performance.now();
        // Posts that were on their way together fail together: that is one failure.
        if (now >= this.#notBefore) {
          const delayMs = backoffMs(backoff, this.#failures, this.#options.random());
          this.#failures += 1;
          this.#notBefore = now + Math.max(delayMs, outcome.retryAfterMs ?? 0);
          this.#afterNewsAt =
            outcome.isUnknown && outcome.retryAfterMs === undefined ? now + backoff.baseMs : undefined;
        }
        log.warn('a post was not taken', { ...fields, cause: outcome.cause, inMs: Math.round(this.#notBefore - now) });
      }
    }
  }
}
