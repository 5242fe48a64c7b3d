import { sleep } from '../sleep.ts';

/** Of one relay, over all of its nodes: each takes two sockets and up to half a megabyte. */
export const mostSessions = 100;

const partingMs = 1_000;
const partingStepMs = 20;

/** A session that is open. */
export interface OpenSession {
  /** Aborts when the relay stops. */
  readonly signal: AbortSignal;
  /** Makes room for another. Safe to repeat. */
  end(): void;
}

/** Counts the sessions of exec, attach and port-forward, and ends them when the relay stops. */
export class StreamSessions {
  readonly #most: number;
  readonly #stop = new AbortController();
  readonly #open = new Set<OpenSession>();

  constructor(most = mostSessions) {
    this.#most = most;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Undefined: there are as many as there may be, or the relay stops. */
  begin(): OpenSession | undefined {
    if (this.#open.size >= this.#most || this.#stop.signal.aborted) return undefined;
    const session: OpenSession = { signal: this.#stop.signal, end: () => void this.#open.delete(session) };
    this.#open.add(session);
    return session;
  }

  /** Ends all, and lets none begin; resolves when they have said so to their clients, or after a second. */
  async close(): Promise<void> {
    this.#stop.abort();
    const giveUpAt = performance.now() + partingMs;
    while (this.#open.size > 0 && performance.now() < giveUpAt)
      await sleep(partingStepMs, new AbortController().signal);
  }
}
