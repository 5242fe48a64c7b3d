import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { help, parseOptions } from './options.ts';
import type { MainOptions } from './options.ts';
import type { ChaosReport } from './run.ts';

type Outcome = ChaosReport | { readonly seed: number; readonly bug: string };

/** Plays all seeds on all cores, reports each, and answers how many failed. */
async function playAll({ seeds, pods, rate, workers }: MainOptions): Promise<number> {
  const waiting = [...seeds];
  const totals = new Map<string, number>();
  const sums = { done: 0, failed: 0, calls: 0, longestMs: 0, began: performance.now() };
  const take = (outcome: Outcome): void => {
    sums.done += 1;
    const isFailed = 'bug' in outcome || outcome.violations.length > 0;
    if (isFailed) sums.failed += 1;
    if (!('bug' in outcome)) {
      sums.calls += outcome.calls;
      sums.longestMs = Math.max(sums.longestMs, outcome.settledAfterMs);
      for (const [kind, count] of outcome.faults) totals.set(kind, (totals.get(kind) ?? 0) + count);
    }
    clearProgress();
    console.log(describe(outcome));
    if (isFailed) explain(outcome, { pods, rate });
    progress(
      `${sums.done} of ${seeds.length} seeds, ${sums.failed} failed, ${seconds(performance.now() - sums.began)}`,
    );
  };
  await Promise.all(Array.from({ length: workers }, () => work(waiting, { pods, rate }, take)));
  clearProgress();
  console.log(
    `\nFaults: ${[...totals]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([kind, count]) => `${kind} ${count}`)
      .join('; ')}`,
  );
  console.log(
    `${sums.done} seeds × ${pods} pods, ${sums.calls} calls, at rest ${seconds(sums.longestMs)} after the last fault at the latest, in ${seconds(performance.now() - sums.began)}: ${sums.failed === 0 ? 'all oracles hold' : `${sums.failed} seeds FAILED`}`,
  );
  return sums.failed;
}

/** One worker takes seeds until none is left. */
function work(
  waiting: number[],
  run: { readonly pods: number; readonly rate: number },
  take: (outcome: Outcome) => void,
): Promise<void> {
  const worker = fork(new URL('worker.ts', import.meta.url), { serialization: 'advanced' });
  let seed: number | undefined;
  const next = (): void => {
    seed = waiting.shift();
    if (seed === undefined) worker.disconnect();
    else worker.send({ seed, pods: run.pods, faultRate: run.rate });
  };
  worker.on('message', (outcome: Outcome) => {
    take(outcome);
    next();
  });
  next();
  return new Promise((resolve, reject) => {
    worker.on('exit', (code) => {
      if (seed === undefined) resolve();
      else reject(new Error(`the worker of seed ${seed} ended with ${String(code)}`));
    });
  });
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

function describe(outcome: Outcome): string {
  if ('bug' in outcome) return `seed ${outcome.seed}: FAILED`;
  const { seed, violations, calls, faults, drained, settledAfterMs, tookMs, digest } = outcome;
  const injected = [...faults.values()].reduce((sum, count) => sum + count, 0);
  const verdict = violations.length === 0 ? 'ok' : `${violations.length} violations`;
  return `seed ${seed}: ${verdict}, ${calls} calls, ${injected} faults, ${drained.taken} of ${drained.told} drained ends told, at rest after ${seconds(settledAfterMs)}, took ${seconds(tookMs)}, ${digest.slice(0, 12)}`;
}

function explain(outcome: Outcome, { pods, rate }: { readonly pods: number; readonly rate: number }): void {
  console.log(`  npm run chaos -- --seed ${outcome.seed} --pods ${pods} --rate ${rate}`);
  if ('bug' in outcome) {
    console.log(`  ${outcome.bug}`);
    return;
  }
  for (const violation of outcome.violations.slice(0, 20)) console.log(`  ${violation}`);
  for (const [uid, lines] of outcome.history)
    console.log(`  --- ${uid}\n${lines.map((line) => `    ${line}`).join('\n')}`);
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(text);
}

function clearProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\u001B[K');
}

const parsed = parseOptions(process.argv.slice(2), availableParallelism());
switch (parsed.kind) {
  case 'help':
    console.log(help);
    break;
  case 'bad':
    console.error(`${parsed.message}\n${help}`);
    process.exitCode = 2;
    break;
  case 'run':
    process.exitCode = (await playAll(parsed.options)) === 0 ? 0 : 1;
}
