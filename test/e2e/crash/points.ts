/** Crash points: which call of which life, and on which side of its effect the process is killed. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { OutsideCall, Verdict } from '../../../infra/local/gate/call.ts';
import type { Side } from '../../../infra/local/sim/faults/vocabulary.ts';
import { pass } from '../../../infra/local/gate/call.ts';
import { describeCall, isAbout } from './calls.ts';
import { lives } from './lives.ts';
import type { LifeName } from './lives.ts';

/** `own`: the call names the pod; `any`: the app's next one of this kind, whomever it is for. */
type Whose = 'own' | 'any';

export interface Point {
  readonly life: LifeName;
  readonly whose: Whose;
  /** In the words of `describeCall`. */
  readonly call: string;
  /** Which of them since the pod was bound, from 1. */
  readonly nth: number;
  readonly moment: Side;
}

export const formatPoint = ({ life, whose, call, nth, moment }: Point): string =>
  `${life}: ${whose} ${call} #${nth}, ${moment}`;

/** Reads what {@link formatPoint} wrote. */
export function parsePoint(text: string): Point {
  const match = /^([a-z-]+): (own|any) (.+) #(\d+), (before|after)$/.exec(text);
  const life = lives.find(({ name }) => name === match?.[1])?.name;
  const [, , whose, call, nth, moment] = match ?? [];
  if (life === undefined || call === undefined) throw new Error(`no crash point: ${text}`);
  return {
    life,
    whose: whose === 'own' ? 'own' : 'any',
    call,
    nth: Number(nth),
    moment: moment === 'before' ? 'before' : 'after',
  };
}

/** Counts calls by kind, and gives each the name of its place in the life. */
export class CallCounter {
  readonly #seen = new Map<string, number>();

  /** How many of this kind there have been, with this one. */
  count(whose: Whose, call: string): number {
    const key = `${whose} ${call}`;
    const seen = (this.#seen.get(key) ?? 0) + 1;
    this.#seen.set(key, seen);
    return seen;
  }
}

export interface Target {
  readonly name: string;
  readonly uid: string;
}

/** Every five minutes, so a life may well see none. */
const isOfResync = (what: string): boolean =>
  ['arm GET groups', 'arm GET usages', 'kubernetes list pods', 'tables list pod', 'tables put node'].includes(what);

/** Every point of one life: both sides of each of its own calls, and of the first of each other kind. */
export function pointsOf(life: LifeName, pod: Target, calls: readonly OutsideCall[]): Point[] {
  const counter = new CallCounter();
  return calls.flatMap((call) => {
    const whose = isAbout(call, pod) ? 'own' : 'any';
    const what = describeCall(call);
    const nth = counter.count(whose, what);
    if (whose === 'any' && (nth > 1 || isOfResync(what))) return [];
    return (['before', 'after'] as const).map((moment) => ({ life, whose, call: what, nth, moment }));
  });
}

/** One point that waits for its call. */
export interface Armed {
  readonly point: Point;
  readonly pod: Target;
  /** How many other pods its kill may hurt. */
  readonly mostOthers: number;
  seen: number;
  killedPid: number | undefined;
  killedAt: number | undefined;
  /** When the pod's lock was last used; undefined while nobody holds it. */
  workedOnAt: number | undefined;
  /** The calls about the pod, each with its time. */
  readonly trace: string[];
}

export const arm = (point: Point, pod: Target, mostOthers: number): Armed => ({
  point,
  pod,
  mostOthers,
  seen: 0,
  killedPid: undefined,
  killedAt: undefined,
  workedOnAt: undefined,
  trace: [],
});

/** Without a call for so long, whoever held the pod's lock is dead. */
const deadAfterMs = 2_000;
const longestHoldMs = 1_500;

/**
 * Kills at the points that are armed, one process at a time. A kill is to hurt the one pod that it is meant for: the
 * call is held for a moment until no other pod is being worked on, and let go when several still are. Then the point
 * waits for its call's next time.
 */
export class Executioner {
  readonly #armed = new Set<Armed>();
  #isStriking = false;

  add(armed: Armed): void {
    this.#armed.add(armed);
  }

  remove(armed: Armed): void {
    this.#armed.delete(armed);
  }

  judge(call: OutsideCall): Verdict {
    const what = describeCall(call);
    const own = new Set([...this.#armed].filter(({ pod }) => isAbout(call, pod)));
    for (const armed of own) follow(armed, what);
    for (const armed of this.#armed) {
      const { point } = armed;
      if (armed.killedPid !== undefined || point.call !== what || (point.whose === 'own' && !own.has(armed))) continue;
      armed.seen += 1;
      if (armed.seen >= point.nth && !this.#isStriking) return this.#strike(armed, own);
    }
    return pass;
  }

  #strike(armed: Armed, own: ReadonlySet<Armed>): Verdict {
    this.#isStriking = true;
    return {
      kind: 'kill',
      moment: armed.point.moment,
      ready: async () => {
        const isCalm = await this.#calm(own, armed.mostOthers);
        if (!isCalm) this.#isStriking = false;
        return isCalm;
      },
      done: (pid) => {
        this.#isStriking = false;
        note(armed, `kill -9 ${pid ?? '(the caller had hung up)'}`);
        armed.killedPid = pid;
        armed.killedAt = Date.now();
        armed.workedOnAt = undefined;
      },
    };
  }

  async #calm(own: ReadonlySet<Armed>, mostOthers: number): Promise<boolean> {
    const giveUpAt = Date.now() + longestHoldMs;
    const isBusy = (armed: Armed): boolean =>
      !own.has(armed) && armed.workedOnAt !== undefined && Date.now() - armed.workedOnAt < deadAfterMs;
    const countBusy = (): number => [...this.#armed].filter(isBusy).length;
    while (countBusy() > 0 && Date.now() < giveUpAt) await sleep(20);
    return countBusy() <= mostOthers;
  }
}

const note = (armed: Armed, what: string): void =>
  void armed.trace.push(`${new Date().toISOString().slice(11, 23)} ${what}`);

/** The pod's row says whether somebody works on it. */
function follow(armed: Armed, what: string): void {
  note(armed, what);
  if (/^tables (put|insert) pod\(.*locked\)/.test(what)) armed.workedOnAt = Date.now();
  else if (/^tables ((put|insert) pod\(|DELETE pod)/.test(what)) armed.workedOnAt = undefined;
  else if (armed.workedOnAt !== undefined) armed.workedOnAt = Date.now();
}

const worldOf = ({ call }: Point): string => call.split(' ')[0] ?? '';

/**
 * `count` different points, spread evenly over lives, worlds and moments: each round takes one of each combination, in
 * an order drawn from `random`.
 */
export function samplePoints(all: readonly Point[], count: number, random: () => number): Point[] {
  const strata = Map.groupBy(all, (point) => `${point.life} ${worldOf(point)} ${point.moment}`);
  const queues = [...strata.values()].map((points) => shuffled(points, random));
  const sample: Point[] = [];
  while (sample.length < count && queues.some((queue) => queue.length > 0))
    for (const queue of shuffled(queues, random)) {
      const next = queue.pop();
      if (next !== undefined && sample.length < count) sample.push(next);
    }
  return sample;
}

function shuffled<T>(values: readonly T[], random: () => number): T[] {
  const result = [...values];
  for (let last = result.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    const [a, b] = [result[last], result[other]];
    if (a !== undefined && b !== undefined) [result[last], result[other]] = [b, a];
  }
  return result;
}
