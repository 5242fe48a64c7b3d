/** `npm run fuzz`: every target from one seed, two at a time; the exit code says whether all rules held. */
import { fork } from 'node:child_process';
import { parseArgs } from 'node:util';
import pLimit from 'p-limit';
import type { Failure, TargetReport } from './run.ts';
import { runTarget } from './run.ts';
import type { Target } from './target.ts';
import { targets } from './targets.ts';

const help = `npm run fuzz -- [options]

  --target NAME   only this one: ${targets.map(({ name }) => name).join(', ')}
  --seed N        of all chance; 7 unless given
  --cases N       of each target; the full number unless given
  --case N        of one target, this case alone
  --help          this text
`;

const mostShown = 4_000;
const mostFailures = 5;
const atOnce = 2;

const { values } = parseArgs({
  options: {
    target: { type: 'string' },
    seed: { type: 'string', default: '7' },
    cases: { type: 'string' },
    case: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

const chosen = targets.filter(({ name }) => values.target === undefined || name === values.target);
const numbers = [values.seed, values.cases, values.case].filter((text) => text !== undefined);
const isUnderstood =
  chosen.length > 0 &&
  numbers.every((text) => /^\d{1,9}$/.test(text)) &&
  (values.case === undefined || chosen.length === 1);
const [only] = chosen;
if (values.help) process.stdout.write(help);
else if (!isUnderstood || only === undefined) {
  process.stderr.write(help);
  process.exitCode = 2;
} else process.exitCode = chosen.length === 1 ? await fuzzOne(only) : await fuzzAll(chosen);

/** What a run of one target reports the one that started it. */
interface Sum {
  readonly share: string;
  readonly inputs: number;
  readonly failures: number;
}

async function fuzzOne(target: Target): Promise<number> {
  const cases = values.case === undefined ? Number(values.cases ?? target.cases) : 1;
  const report = await runTarget(target, {
    seed: Number(values.seed),
    from: Number(values.case ?? 0),
    cases,
    mostFailures,
    onProgress: (done) => showProgress(`${target.name} ${done}/${cases}`),
  });
  showProgress('');
  process.stdout.write(`${row(report)}\n`);
  for (const failure of report.failures) process.stdout.write(failureText(failure, values.seed));
  const sum: Sum = { share: report.share, inputs: report.inputs, failures: report.failures.length };
  process.send?.(sum);
  return report.failures.length === 0 ? 0 : 1;
}

/** Each target in a process of its own, so that both cores are used and none meets what another left behind. */
async function fuzzAll(all: readonly Target[]): Promise<number> {
  const startedAt = performance.now();
  const limit = pLimit(atOnce);
  const sums = await Promise.all(all.map((target) => limit(() => startOne(target))));
  const inputs = (share: Target['share']): number =>
    sums.filter((sum) => sum?.share === share).reduce((total, sum) => total + (sum?.inputs ?? 0), 0);
  const failures = sums.reduce((total, sum) => total + (sum?.failures ?? 1), 0);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  process.stdout.write(
    `\n${inputs('requests')} requests and settings, ${inputs('answers')} answers, ${inputs('relay')} inputs of the relay, ` +
      `${inputs('sockets')} over sockets into the host; seed ${values.seed}; ${seconds} s; ` +
      `${failures === 0 ? 'every rule held' : `${failures} FAILURES`}\n`,
  );
  return failures === 0 ? 0 : 1;
}

/** Undefined: its process died without a word. */
function startOne({ name }: Target): Promise<Sum | undefined> {
  const { promise, resolve } = Promise.withResolvers<Sum | undefined>();
  const cases = values.cases === undefined ? [] : ['--cases', values.cases];
  const child = fork(import.meta.filename, ['--target', name, '--seed', values.seed, ...cases]);
  let sum: Sum | undefined;
  child.on('message', (message) => {
    sum = message as Sum;
  });
  child.on('exit', (code, signal) => {
    if (sum === undefined) process.stdout.write(`${name} ended with ${code ?? signal} and no report\n`);
    resolve(sum);
  });
  return promise;
}

function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}

function row({ target, cases, inputs, outcomes, tookMs }: TargetReport): string {
  const reported = [...outcomes]
    .toSorted((a, b) => b[1] - a[1])
    .slice(0, 9)
    .map(([outcome, count]) => `${outcome} ${count}`);
  const head = `${target.padEnd(17)} ${String(cases).padStart(6)} cases ${String(inputs).padStart(6)} inputs`;
  return `${head} ${(tookMs / 1000).toFixed(1).padStart(6)} s  ${reported.join(', ')}`;
}

function failureText({ target, index, faults, mutations, input }: Failure, seed: string): string {
  const shown = input.length > mostShown ? `${input.slice(0, mostShown)}… (${input.length} characters)` : input;
  return [
    '',
    `FAILED  npm run fuzz -- --target ${target} --seed ${seed} --case ${index}`,
    ...faults.map((fault) => `  ${fault}`),
    `  mutations: ${mutations.join(', ') || 'none'}`,
    `  input: ${shown.replaceAll('\n', '\n    ')}`,
    '',
  ].join('\n');
}
