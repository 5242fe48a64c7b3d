import { fail } from '../../../../shared/core/fault.ts';
import type { Result } from '../../../../shared/core/fault.ts';
import type { Moment, ProcessFault } from '../faults/vocabulary.ts';

/**
 * One thing that befalls one process: at its n-th outside call, counted from 0. What was under way (`inside`) arrives when
 * the freeze is over, or a while after its sender was killed.
 */
export interface CallFault extends ProcessFault {
  readonly call: number;
  /** Of a freeze; 90 s unless given. */
  readonly forMs?: number;
}

/** How long a frozen process is frozen. */
const freezeMs = 90_000;
/** So long after the death of its sender a request arrives, and be it shown 12 s later: before an open intent is old. */
const lateMs = 47_000;

/** How late what was under way arrives. */
export const lateByMs = (fault: CallFault): number => (fault.kind === 'kill' ? lateMs : (fault.forMs ?? freezeMs));

/** What a process needs of the simulation that it lives in. */
export interface Stage {
  /** Until it is this process's turn to make one call. */
  readonly turn: (instance: CountedProcess) => Promise<void>;
  /** Until so much time has passed; nothing of the process goes on meanwhile. */
  readonly freeze: (instance: CountedProcess, ms: number) => Promise<void>;
  /** Does something so much later, whatever has become of the process. */
  readonly later: (ms: number, act: () => Promise<void>) => void;
  readonly onCall: (call: Call) => void;
  readonly onFault: (call: Call) => void;
}

/** One outside call as it was made. */
export interface Call {
  readonly instance: CountedProcess;
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
export class CountedProcess {
  readonly name: string;
  state: 'alive' | 'frozen' | 'dead' = 'alive';
  calls = 0;
  readonly #stage: Stage;
  readonly #fault: CallFault | undefined;

  constructor(name: string, stage: Stage, fault: CallFault | undefined) {
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
    return this.#stage.freeze(this, lateByMs(fault));
  }
}
