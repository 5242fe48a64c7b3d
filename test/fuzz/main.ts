/** `npm run fuzz`: every target from one seed; the exit code says whether all rules held. */
import { parseArgs } from 'node:util';
import type { Failure, TargetReport } from './run.ts';
import { runTarget } from './run.ts';
import type { Target } from './target.ts';
import { targets } from './targets.ts';

const help = `npm run fuzz -- [options]

  --target NAME   only this one: ${targets.map(({ name }) => name).join(', ')}
  --seed N        of all chance; 7 unless told
  --cases N       of each target; the full number unless told
  --case N        this case alone, with its input
  --help          this text
`;

const mostShown = 4_000;

const { values } = parseArgs({
  options: {
    target: { type: 'string' },
    seed: { type: 'string', default: '7' },
    cases: { type: 'string' },
    case: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const chosen = targets.filter(({ name }) => values.target === undefined || name === values.target);
const numbers = [values.seed, values.cases, values.case].filter((text) => text !== undefined);
if (values.help) process.stdout.write(help);
else if (chosen.length === 0 || !numbers.every((text) => /^\d{1,9}$/.test(text))) {
  process.stderr.write(help);
  process.exitCode = 2;
} else process.exitCode = await fuzz(chosen, Number(values.seed));

async function fuzz(wanted: readonly Target[], seed: number): Promise<number> {
  const startedAt = performance.now();
  const reports: TargetReport[] = [];
  for (const target of wanted) {
    const cases = values.case === undefined ? Number(values.cases ?? target.cases) : 1;
    const report = await runTarget(target, {
      seed,
      from: Number(values.case ?? 0),
      cases,
      mostFailures: 5,
      onProgress: (done) => showProgress(`${target.name} ${done}/${cases}`),
    });
    showProgress('');
    reports.push(report);
    process.stdout.write(`${row(report)}\n`);
    for (const failure of report.failures) process.stdout.write(failureText(failure, seed));
  }
  const failures = reports.flatMap((report) => report.failures);
  const inputs = (share: string): number =>
    reports.filter((report) => report.share === share).reduce((sum, report) => sum + report.inputs, 0);
  process.stdout.write(
    `\n${inputs('requests')} requests and settings, ${inputs('answers')} answers, ${inputs('relay')} inputs of the relay, ` +
      `${inputs('sockets')} over sockets; seed ${seed}; ${((performance.now() - startedAt) / 1000).toFixed(1)} s; ` +
      `${failures.length === 0 ? 'every rule held' : `${failures.length} FAILURES`}\n`,
  );
  return failures.length === 0 ? 0 : 1;
}

function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}

function row({ target, cases, inputs, outcomes, tookMs }: TargetReport): string {
  const told = [...outcomes]
    .toSorted((a, b) => b[1] - a[1])
    .slice(0, 9)
    .map(([outcome, count]) => `${outcome} ${count}`);
  const head = `${target.padEnd(20)} ${String(cases).padStart(6)} cases ${String(inputs).padStart(6)} inputs`;
  return `${head} ${(tookMs / 1000).toFixed(1).padStart(6)} s  ${told.join(', ')}`;
}

function failureText({ target, index, faults, mutations, input }: Failure, seed: number): string {
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
