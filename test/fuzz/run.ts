import { Dice } from './dice.ts';
import { Mutator } from './mutator.ts';
import type { Bench, Case, CaseReport, Target } from './target.ts';

export interface Failure {
  readonly target: string;
  readonly index: number;
  readonly faults: readonly string[];
  /** What is left of the mutations when those that do not matter are taken away. */
  readonly mutations: readonly string[];
  readonly input: string;
}

export interface TargetReport {
  readonly target: string;
  readonly share: Target['share'];
  readonly cases: number;
  readonly inputs: number;
  readonly outcomes: ReadonlyMap<string, number>;
  readonly failures: readonly Failure[];
  readonly tookMs: number;
}

export interface RunOptions {
  readonly seed: number;
  readonly from: number;
  readonly cases: number;
  readonly onProgress?: (done: number) => void;
  /** The run ends after so many. */
  readonly mostFailures: number;
}

const progressEvery = 100;

/** Plays the cases of one target. What is thrown or rejected anywhere in the process meanwhile is a failure of the case that ran. */
export async function runTarget(target: Target, options: RunOptions): Promise<TargetReport> {
  const startedAt = performance.now();
  const outcomes = new Map<string, number>();
  const failures: Failure[] = [];
  const bench = await target.open();
  let inputs = 0;
  let cases = 0;
  try {
    while (cases < options.cases && failures.length < options.mostFailures) {
      const index = options.from + cases;
      const played = await playCase(target, bench, { seed: options.seed, index, skip: new Set() });
      outcomes.set(played.report.outcome, (outcomes.get(played.report.outcome) ?? 0) + 1);
      inputs += played.report.inputs ?? 1;
      if (played.report.faults.length > 0)
        failures.push(await shrink(target, bench, { seed: options.seed, index, played }));
      cases += 1;
      if (cases % progressEvery === 0) options.onProgress?.(cases);
    }
  } finally {
    await bench.close?.();
  }
  const tookMs = performance.now() - startedAt;
  return { target: target.name, share: target.share, cases, inputs, outcomes, failures, tookMs };
}

interface Play {
  readonly seed: number;
  readonly index: number;
  readonly skip: ReadonlySet<number>;
}

interface Played {
  readonly one: Case;
  readonly report: CaseReport;
}

async function playCase(target: Target, bench: Bench, { seed, index, skip }: Play): Promise<Played> {
  const dice = Dice.of(target.name, seed, index);
  const one: Case = { dice, mutator: new Mutator(dice.fork('mutations'), skip), show: () => '' };
  const stray: string[] = [];
  const onStray = (error: unknown): void => void stray.push(`nobody caught: ${stackOf(error)}`);
  process.on('unhandledRejection', onStray);
  process.on('uncaughtException', onStray);
  const hangMs = target.hangMs ?? 10_000;
  let timer: NodeJS.Timeout | undefined;
  const hang = new Promise<CaseReport>((resolve) => {
    timer = setTimeout(() => resolve(crashed('hangs', `no answer within ${hangMs} ms`)), hangMs);
  });
  try {
    const run = bench.run(one).catch((error: unknown) => crashed('throws', stackOf(error)));
    const report = await Promise.race([run, hang]);
    return { one, report: stray.length === 0 ? report : { ...report, faults: [...report.faults, ...stray] } };
  } finally {
    clearTimeout(timer);
    process.off('unhandledRejection', onStray);
    process.off('uncaughtException', onStray);
  }
}

const crashed = (outcome: string, fault: string): CaseReport => ({ outcome, faults: [`${outcome}: ${fault}`] });

const stackOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message).split('\n').slice(0, 7).join('\n    ') : String(error);

const mostTries = 40;

/** Leaves out one mutation after the other, as long as the case still fails. */
async function shrink(
  target: Target,
  bench: Bench,
  { seed, index, played }: { readonly seed: number; readonly index: number; readonly played: Played },
): Promise<Failure> {
  const skip = new Set<number>();
  let least = played;
  const isHanging = played.report.outcome === 'hangs';
  for (const { number } of isHanging ? [] : played.one.mutator.done.slice(0, mostTries)) {
    const tried = await playCase(target, bench, { seed, index, skip: new Set([...skip, number]) });
    if (tried.report.faults.length === 0) continue;
    skip.add(number);
    least = tried;
  }
  return {
    target: target.name,
    index,
    faults: least.report.faults,
    mutations: least.one.mutator.done.map(({ what }) => what),
    input: least.one.show(),
  };
}
