import type { Port, Side } from '../sim/faults/vocabulary.ts';

/** The three outside worlds that the app calls. */
export type World = Port;

/** One request of the app, whole, before anything has happened to it. */
export interface OutsideCall {
  /** In the order in which the requests were complete, from 1, over all worlds. */
  readonly number: number;
  readonly world: World;
  readonly method: string;
  /** Path and query, percent-decoded where that is possible. */
  readonly path: string;
  readonly body: string;
}

/** An answer as it goes to the app. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: Buffer;
}

/** What becomes of a call. `before`: the world never hears of it; `after`: it took effect and the app never hears of it. */
export type Verdict =
  | { readonly kind: 'pass' }
  /** SIGKILL to the process that made the call. */
  | {
      readonly kind: 'kill';
      readonly moment: Side;
      /** Asked last: the call is held until it answers, and goes on as any other when that is false. */
      readonly ready?: () => Promise<boolean>;
      /** Given the pid, or undefined when the caller has hung up meanwhile: then the call goes on as any other. */
      readonly done: (pid: number | undefined) => void;
    }
  /** The connection is cut. */
  | { readonly kind: 'reset'; readonly moment: Side }
  /** Answered by the gate; the world never hears of it. */
  | { readonly kind: 'refuse'; readonly answer: Answer }
  /** The call took effect, but its answer says otherwise. */
  | { readonly kind: 'deny'; readonly answer: Answer }
  | { readonly kind: 'slow'; readonly delayMs: number }
  /** The true status, and a body that is none. */
  | { readonly kind: 'garbage' }
  /** The true status and length, half the body, and the end of the connection. */
  | { readonly kind: 'truncate' };

/** Decides on each call, at once. */
export type Judge = (call: OutsideCall) => Verdict;

export const pass: Verdict = { kind: 'pass' };
