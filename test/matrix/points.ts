import { blinkMs, describeFaults, longFreezeMs, shortFreezeMs } from './fault.ts';
import type { CallFault } from '../../infra/local/sim/processes/counted-process.ts';
import type { Faults } from './fault.ts';
import { distinctKillPoints, enumerate, freezePoints, killPoints, play } from './matrix.ts';
import type { Outcome, Point, Setting } from './matrix.ts';
import type { Variant } from './variants/hands.ts';
import { defined } from '../../shared/core/defined.ts';

/** The order of two processes' calls is drawn from it unless given. */
export const defaultSeed = 7;

/** One life to be reported, as the command line names it. */
export interface Case {
  readonly variant: Variant;
  readonly setting: Setting;
}

export interface Failure {
  readonly replay: string;
  readonly violations: readonly string[];
}

/** How to see one life again. */
export function replayOf({ variant, setting }: Case): string {
  const faults = describeFaults(setting.faults ?? {});
  const seed = setting.seed === undefined || setting.seed === defaultSeed ? '' : ` --seed ${setting.seed}`;
  return `npm run test:matrix -- --variant ${variant.name} ${faults}${seed}`;
}

/** Reports one life; undefined when no oracle objects. */
export const judge = async (one: Case): Promise<Failure | undefined> =>
  failureOf(one, await play(one.variant, one.setting));

export function failureOf(one: Case, { violations }: Outcome): Failure | undefined {
  if (violations.length === 0) return undefined;
  return { replay: replayOf(one), violations: violations.map(({ oracle, text }) => `${oracle}: ${text}`) };
}

/** A process alone, killed at each point. `distinct`: only those that leave different worlds. */
export async function killCases(
  variant: Variant,
  { distinct }: { readonly distinct: boolean },
): Promise<{ readonly points: number; readonly cases: readonly Case[] }> {
  const { a: points } = await enumerate(variant);
  const all = killPoints(points);
  const cases = (distinct ? distinctKillPoints(points) : all).map((kill) => ({
    variant,
    setting: { faults: { kill } },
  }));
  return { points: all.length, cases };
}

interface FreezeKind {
  readonly forMs?: number;
  /** Nobody else works meanwhile. */
  readonly isAlone?: boolean;
}

/** The freezes that are tried at each point. */
export const freezeKinds: readonly FreezeKind[] = [
  {},
  { isAlone: true },
  { forMs: shortFreezeMs },
  { forMs: shortFreezeMs, isAlone: true },
  { forMs: longFreezeMs },
  { forMs: blinkMs },
];

export interface Extent {
  /** Only points at calls that are about a pod or its group, not about Node, Lease and bookkeeping. */
  readonly onlyPod: boolean;
  readonly seed?: number;
}

const narrow = (points: readonly Point[], onlyPod: boolean): readonly Point[] =>
  points.filter(({ isOfPod }) => isOfPod || !onlyPod);

/** One of two processes frozen at each point, in this way. */
export async function freezeCases(
  variant: Variant,
  kind: FreezeKind,
  { onlyPod, seed = defaultSeed }: Extent,
): Promise<readonly Case[]> {
  const isAlone = kind.isAlone ?? false;
  const { b } = await enumerate(variant, { seed, isAlone });
  return freezePoints(narrow(b, onlyPod)).map((point): Case => {
    const freeze: CallFault = { ...point, ...defined({ forMs: kind.forMs }) };
    const faults: Faults = { freeze, ...(isAlone ? { isAlone } : {}) };
    return { variant, setting: { faults, seed } };
  });
}

/** Every kill of the first process with every freeze of the second. */
export interface PairGrid {
  readonly variant: Variant;
  readonly kills: readonly CallFault[];
  readonly freezes: readonly CallFault[];
  readonly seed: number;
}

export async function pairGrid(variant: Variant, { onlyPod, seed = defaultSeed }: Extent): Promise<PairGrid> {
  const { a, b } = await enumerate(variant, { seed });
  return {
    variant,
    kills: distinctKillPoints(narrow(a, onlyPod)),
    freezes: freezePoints(narrow(b, onlyPod)),
    seed,
  };
}

export const pairCount = ({ kills, freezes }: PairGrid): number => kills.length * freezes.length;

/** The n-th pair of the grid. */
export function pairAt({ variant, kills, freezes, seed }: PairGrid, index: number): Case {
  const kill = kills[Math.floor(index / freezes.length)];
  const freeze = freezes[index % freezes.length];
  if (kill === undefined || freeze === undefined) throw new Error(`${variant.name} has no pair ${index}`);
  return { variant, setting: { faults: { kill, freeze }, seed } };
}
