import { runChaos } from './run.ts';
import type { ChaosOptions } from './run.ts';

/** One seed a message; the pods that an oracle names are played again, with their history. */
process.on('message', (options: ChaosOptions) => {
  void play(options).then((report) => process.send?.(report));
});

async function play(options: ChaosOptions): Promise<unknown> {
  try {
    const report = await runChaos(options);
    const named = report.violations.flatMap((violation) => /^O\d ([\w-]+)/.exec(violation)?.[1] ?? []);
    const trace = [...new Set(named)].slice(0, 3);
    return trace.length === 0 ? report : { ...report, history: (await runChaos({ ...options, trace })).history };
  } catch (error) {
    const bug = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { seed: options.seed, bug };
  }
}
