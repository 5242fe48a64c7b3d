import { describeFault, fail, ok } from '../../../../shared/core/fault.ts';
import type { Fault, Result } from '../../../../shared/core/fault.ts';
import { openWatch, request } from '../../../../shared/adapters/kubernetes/http.ts';
import type { KubernetesClient } from '../../../../shared/adapters/kubernetes/http.ts';
import { selectorValue } from '../../../../shared/adapters/kubernetes/path.ts';
import type { Log } from '../../../../shared/ports/log.ts';
import type { PodKey } from '../../../../shared/wire/relay-protocol/pod-events.ts';
import type { RelayMeter } from '../metrics/relay-metrics.ts';
import { sleep } from '../sleep.ts';
import { parsePodPage } from './pod-page.ts';
import { PodSet } from './pod-set.ts';
import { retryDelayMs } from './retry-delay.ts';
import { parseWatchEvent } from './watch-event.ts';
import { parseWatchedPod } from './watched-pod.ts';
import type { WatchedPod } from './watched-pod.ts';
import { defined } from '../../../../shared/core/defined.ts';

/** Whom a reflector informs. Called in the order of the API server's events. */
export interface PodSink {
  /** After each complete list: every pod of the node, and those that are gone since the last. */
  onSnapshot(pods: readonly PodKey[]): void;
  onChange(pod: PodKey): void;
}

/** Who keeps what it needs of each pod, by its UID. */
export interface PodWatcher {
  set(pod: WatchedPod): void;
  remove(uid: string): void;
}

export interface ReflectorOptions {
  readonly client: KubernetesClient;
  readonly node: string;
  readonly sink: PodSink;
  readonly log: Log;
  readonly random: () => number;
  readonly meter?: Pick<RelayMeter, 'watchRestarted'>;
  /** Are given every state of each pod, and which are gone. */
  readonly watchers?: readonly PodWatcher[];
}

const podsPath = '/api/v1/pods';
/** Small pages: a page of large pods is held in memory at once. */
const pageSize = 100;
const maxPages = 1000;
const watchAttempts = 3;
const watchSeconds = { least: 300, most: 540 };
/** Bookmarks come about once a minute. */
const inactivityTimeoutMs = 100_000;

/**
 * List and watch of one node's pods: a consistent list (no resourceVersion), then a watch from there with bookmarks; a
 * watch that ended is taken up where it was, one whose version is too old begins with a list again. Faults are tried again
 * for ever, at most every 30 s.
 */
export class Reflector {
  readonly #options: ReflectorOptions;
  readonly #pods = new PodSet();
  #listed = false;
  #watched = false;

  constructor(options: ReflectorOptions) {
    this.#options = options;
  }

  /** How many pods the node has. */
  get size(): number {
    return this.#pods.size;
  }

  /** Whether a first list was complete. */
  get isListed(): boolean {
    return this.#listed;
  }

  /** Runs until `signal` aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    let delayMs: number | undefined;
    while (!signal.aborted) {
      const startedAt = performance.now();
      const outcome = await this.#listAndWatch(signal);
      if (signal.aborted) return;
      const isLongAgo = performance.now() - startedAt > 60_000;
      delayMs = retryDelayMs(isLongAgo ? undefined : delayMs, this.#options.random());
      if (outcome.kind === 'throttled') delayMs = Math.max(delayMs, outcome.retryAfterMs);
      const { node, log } = this.#options;
      log.warn('pods are listed anew', { node, cause: describeFault(outcome), inMs: delayMs });
      await sleep(delayMs, signal);
    }
  }

  async #listAndWatch(signal: AbortSignal): Promise<Fault> {
    const listed = await this.#list(signal);
    if (!listed.ok) return listed.fault;
    let version = listed.value;
    let delayMs: number | undefined;
    let failures = 0;
    while (!signal.aborted) {
      const watched = await this.#watch(version, signal);
      version = watched.version;
      failures = watched.hadEvents || watched.end === 'clean' ? 0 : failures + 1;
      if (watched.end === 'clean') {
        delayMs = undefined;
        // A server that ends every watch at once must not be asked in a tight loop.
        await sleep(50 + this.#options.random() * 200, signal);
        continue;
      }
      // A restored cluster may not know the version at all, and says so as if it would come.
      if (watched.end.kind !== 'transient' || failures >= watchAttempts) return watched.end;
      delayMs = retryDelayMs(watched.hadEvents ? undefined : delayMs, this.#options.random());
      await sleep(delayMs, signal);
    }
    return { kind: 'transient', message: 'the relay stops' };
  }

  async #list(signal: AbortSignal): Promise<Result<string>> {
    const { client, node } = this.#options;
    const pods: WatchedPod[] = [];
    let next: string | undefined;
    for (let page = 0; page < maxPages; page += 1) {
      const query = { ...this.#selector(), limit: String(pageSize), ...defined({ continue: next }) };
      const read = await request(
        client,
        { method: 'GET', path: podsPath, query },
        (json) => parsePodPage(json, node),
        signal,
      );
      if (!read.ok) return read;
      pods.push(...read.value.pods);
      next = read.value.continueToken;
      if (next === undefined) {
        this.#listed = true;
        const keys = this.#pods.replace(pods);
        for (const pod of pods) this.#inform(pod);
        for (const key of keys) if (key.resourceVersion === '') this.#informOfEnd(key.uid);
        this.#options.sink.onSnapshot(keys);
        return ok(read.value.resourceVersion);
      }
    }
    return fail({ kind: 'transient', message: `GET ${podsPath}: more than ${maxPages} pages` });
  }

  async #watch(from: string, signal: AbortSignal): Promise<Watched> {
    const { client, random, node, meter } = this.#options;
    if (this.#watched) meter?.watchRestarted(node);
    this.#watched = true;
    const reading = new WatchReading(from);
    const seconds = Math.round(watchSeconds.least + random() * (watchSeconds.most - watchSeconds.least));
    const stop = new AbortController();
    const onAbort = (): void => stop.abort();
    signal.addEventListener('abort', onAbort, { once: true });
    const query = {
      ...this.#selector(),
      watch: 'true',
      resourceVersion: from,
      allowWatchBookmarks: 'true',
      timeoutSeconds: String(seconds),
    };
    const onLine = (line: string): void => {
      if (reading.fault === undefined) this.#onLine(line, reading);
      if (reading.fault !== undefined) stop.abort();
    };
    const ended = await openWatch(client, podsPath, query, { signal: stop.signal, onLine, inactivityTimeoutMs });
    signal.removeEventListener('abort', onAbort);
    const { version, hadEvents, fault } = reading;
    return { version, hadEvents, end: fault ?? (ended.ok ? 'clean' : ended.fault) };
  }

  #onLine(line: string, reading: WatchReading): void {
    const event = parseWatchEvent(line);
    switch (event.kind) {
      case 'bookmark':
        reading.passed(event.resourceVersion);
        return;
      case 'error':
        reading.fault =
          event.code === 410
            ? { kind: 'conflict', code: 'Expired', message: event.message }
            : { kind: 'transient', message: `watch: ${event.code} ${event.message}` };
        return;
      case 'garbage':
        reading.fault = {
          kind: 'conflict',
          code: 'Garbage',
          message: 'a line of the watch is not what the API promises',
        };
        return;
      case 'changed':
      case 'deleted': {
        const pod = parseWatchedPod(event.object, this.#options.node);
        if (pod === undefined) {
          reading.fault = { kind: 'conflict', code: 'Garbage', message: 'an object of the watch is no pod' };
          return;
        }
        const key = event.kind === 'changed' ? this.#pods.change(pod) : this.#pods.remove(pod);
        if (event.kind === 'changed') this.#inform(pod);
        else this.#informOfEnd(pod.key.uid);
        reading.passed(event.resourceVersion);
        if (key !== undefined) this.#options.sink.onChange(key);
      }
    }
  }

  #inform(pod: WatchedPod): void {
    for (const watcher of this.#options.watchers ?? []) watcher.set(pod);
  }

  #informOfEnd(uid: string): void {
    for (const watcher of this.#options.watchers ?? []) watcher.remove(uid);
  }

  readonly #selector = (): Record<string, string> => ({
    fieldSelector: `spec.nodeName=${selectorValue(this.#options.node)}`,
  });
}

interface Watched {
  readonly version: string;
  readonly hadEvents: boolean;
  readonly end: 'clean' | Fault;
}

/** How far one watch has come. */
class WatchReading {
  version: string;
  hadEvents = false;
  fault: Fault | undefined;

  constructor(version: string) {
    this.version = version;
  }

  passed(version: string): void {
    this.version = version;
    this.hadEvents = true;
  }
}
