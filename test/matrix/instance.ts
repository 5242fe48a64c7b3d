import type { Moment } from '../../infra/local/sim/faults/vocabulary.ts';
import { fail } from '../../shared/core/fault.ts';
import type { Result } from '../../shared/core/fault.ts';
import { freezeMs, lateMs } from './fault.ts';
import type { Fault } from './fault.ts';

/** What an instance needs of the simulation that it lives in. */
export interface Stage {
  /** Until it is this instance's turn to make one call. */
  readonly turn: (instance: Instance) => Promise<void>;
  /** Until so much time has passed; nothing of the instance goes on meanwhile. */
  readonly stand: (instance: Instance, ms: number) => Promise<void>;
  /** Does something so much later, whatever has become of the instance. */
  readonly later: (ms: number, act: () => Promise<void>) => void;
  readonly onCall: (call: Call) => void;
  readonly onFault: (call: Call) => void;
}

/** One outside call as it was made. */
export interface Call {
  readonly instance: Instance;
  readonly index: number;
  /** `groups.get`, `table.submit`, `api.patchPodStatus`. */
  readonly name: string;
  readonly args: readonly unknown[];
  readonly answer: unknown;
  /** False: its time was over before it was sent. */
  readonly isSent: boolean;
}

const never: Promise<never> = new Promise(() => undefined);

/** One process of the app: it counts its outside calls, and may be killed or frozen at one of them. */
export class Instance {
  readonly name: string;
  state: 'alive' | 'frozen' | 'dead' = 'alive';
  calls = 0;
  readonly #stage: Stage;
  readonly #fault: Fault | undefined;

  constructor(name: string, stage: Stage, fault: Fault | undefined) {
    this.name = name;
    this.#stage = stage;
    this.#fault = fault;
  }

  /** One outside call; `args` without its signal, which is last in `perform`. */
  async call<T>(
    name: string,
    args: readonly unknown[],
    perform: (signal?: AbortSignal) => Promise<Result<T>>,
    signal?: AbortSignal,
  ): Promise<Result<T>> {
    await this.#stage.turn(this);
    const index = this.calls;
    this.calls += 1;
    const made = { instance: this, index, name, args, isSent: true };
    await this.#meet(index, 'before', { ...made, answer: undefined });
    const isSent = signal?.aborted !== true;
    const isLate = this.#isAt(index, 'inside') && isSent;
    // What was sent in time arrives, however late; its sender has given up by then.
    const send = async (): Promise<Result<T>> => {
      const answer = await perform(isLate ? new AbortController().signal : signal);
      this.#stage.onCall({ ...made, answer, isSent });
      return answer;
    };
    if (isLate && this.#fault?.kind === 'kill') this.#stage.later(lateMs, async () => void (await send()));
    if (isLate) await this.#meet(index, 'inside', { ...made, answer: undefined });
    const answer = await send();
    await this.#meet(index, 'after', { ...made, answer });
    return isLate ? fail({ kind: 'transient', message: 'nothing came in time' }) : answer;
  }

  /** A pause is no call, but others go on meanwhile. */
  async pause(): Promise<void> {
    await this.#stage.turn(this);
  }

  #isAt(index: number, moment: Moment): boolean {
    return this.#fault !== undefined && this.#fault.call === index && this.#fault.moment === moment;
  }

  async #meet(index: number, moment: Moment, call: Call): Promise<void> {
    if (this.state === 'dead') return never;
    const fault = this.#fault;
    if (fault === undefined || !this.#isAt(index, moment)) return undefined;
    this.#stage.onFault(call);
    if (fault.kind === 'kill') {
      this.state = 'dead';
      return never;
    }
    return this.#stage.stand(this, fault.forMs ?? freezeMs);
  }
}
