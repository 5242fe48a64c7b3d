import { sleep } from '../sleep.ts';
import type { CommandStreams, Outcome } from './streams/command-streams.ts';
import type { StreamTimes } from './stream-times.ts';

export interface LifeOptions {
  readonly times: Pick<StreamTimes, 'idleMs' | 'lookMs'>;
  /** The client is gone. */
  readonly gone: AbortSignal;
  /** The relay stops. */
  readonly stop: AbortSignal;
  /** How it ends because what it is about is over; undefined: it is not, or nobody knows. */
  readonly lookForEnd: (signal: AbortSignal) => Promise<Outcome | undefined>;
}

/** What was said last, and when the container's end was seen, still arrives. */
const graceMs = 2_000;

/**
 * Until when a session may go on: its client is there, the relay runs, either side says something now and then, and what it is about is
 * still there.
 */
export class SessionLife {
  readonly #options: LifeOptions;
  readonly #over = new AbortController();
  readonly #idle: NodeJS.Timeout;
  #reason: Outcome | undefined;

  constructor(options: LifeOptions) {
    this.#options = options;
    this.#idle = this.#startIdle();
    for (const signal of [options.gone, options.stop]) {
      signal.addEventListener('abort', this.#onAbort);
      if (signal.aborted) this.#onAbort();
    }
    void this.#look();
  }

  /** Aborts when the session has to end. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** Why it had to; undefined: it ended by itself, or its client is gone. */
  get reason(): Outcome | undefined {
    return this.#reason;
  }

  /** Either side has said something. */
  touch(): void {
    this.#idle.refresh();
  }

  /** The session has ended. Safe to repeat. */
  end(): void {
    clearTimeout(this.#idle);
    for (const signal of [this.#options.gone, this.#options.stop]) signal.removeEventListener('abort', this.#onAbort);
    this.#over.abort();
  }

  /** The client's streams, each use of which counts as life. */
  watch(streams: CommandStreams): CommandStreams {
    const { stdin, stdout, stderr } = streams;
    const sink = (one: CommandStreams['stdout']): CommandStreams['stdout'] =>
      one === undefined ? undefined : { write: (bytes) => (this.touch(), one.write(bytes)) };
    const read = async (): Promise<Buffer | undefined> => {
      const bytes = await stdin?.read();
      this.touch();
      return bytes;
    };
    return {
      ...streams,
      stdin: stdin === undefined ? undefined : { read },
      stdout: sink(stdout),
      stderr: sink(stderr),
    };
  }

  readonly #onAbort = (): void => {
    if (this.#options.stop.aborted)
      this.#endFor({ kind: 'failed', message: 'the relay of this node stops; try again' });
    else this.end();
  };

  #startIdle(): NodeJS.Timeout {
    const message = 'nothing was said for too long, so the session was ended';
    return setTimeout(() => this.#endFor({ kind: 'failed', message }), this.#options.times.idleMs);
  }

  #endFor(reason: Outcome): void {
    if (this.#over.signal.aborted) return;
    this.#reason ??= reason;
    this.end();
  }

  async #look(): Promise<void> {
    const { times, lookForEnd } = this.#options;
    for (;;) {
      await sleep(times.lookMs, this.signal);
      if (this.signal.aborted) return;
      const end = await lookForEnd(this.signal);
      if (end === undefined) continue;
      await sleep(graceMs, this.signal);
      this.#endFor(end);
    }
  }
}
