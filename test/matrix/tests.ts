import { random } from '../../infra/local/sim/time/chance.ts';
import { judge } from './points.ts';
import type { Case, Failure } from './points.ts';

/** Reports all lives; each failure comes with the command that shows it again. */
export async function judgeAll(cases: readonly Case[]): Promise<readonly Failure[]> {
  const failures: Failure[] = [];
  for (const one of cases) {
    const failure = await judge(one);
    if (failure !== undefined) failures.push(failure);
  }
  return failures;
}

/** So many of all, drawn from a seed: the same seed, the same ones. */
export function sample<T>(all: readonly T[], count: number, seed: number): readonly T[] {
  const next = random(seed);
  const left = [...all];
  const drawn: T[] = [];
  while (drawn.length < count && left.length > 0) drawn.push(...left.splice(Math.floor(next() * left.length), 1));
  return drawn;
}
