/** `npm run bench`: one page of figures beside their goals; ends with 1 when a goal is missed. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { formatDuration } from '../../infra/cli/progress.ts';
import { formatGoal, formatValue, verdictOf } from './figure.ts';
import type { Section } from './figure.ts';
import { measureAgents } from './figures/agents.ts';
import { measureAttach } from './figures/attach.ts';
import { measureBurst } from './figures/burst.ts';
import { measureImport } from './figures/import-time.ts';
import { measureJobLives } from './figures/job-lives.ts';
import { measureLife } from './figures/life.ts';
import { measureSweep } from './figures/sweep.ts';
import { measureThousandPods } from './figures/thousand-pods.ts';
import { describeMachine } from './machine.ts';
import type { Machine } from './machine.ts';
import { missed, renderPage, renewPage } from './page.ts';
import { bundleInto, repository } from './rig/bundles.ts';
import type { Rig } from './rig/bundles.ts';

type Say = (text: string) => void;
type Benchmark = (bundles: Rig, dir: string, say: Say) => Promise<readonly Section[]>;

const benchmarks: Readonly<Record<string, Benchmark>> = {
  import: async (bundles) => [await measureImport(bundles)],
  life: measureLife,
  jobs: measureJobLives,
  burst: async (...given) => [await measureBurst(...given)],
  sweep: async (...given) => [await measureSweep(...given)],
  thousand: measureThousandPods,
  attach: measureAttach,
  agents: measureAgents,
};

const help = `usage: npm run bench [NAME …] [-- options]

Measures the app as it is deployed (bundled, real processes, real HTTP) against stand-ins of Azure and Kubernetes, and
prints one page of figures beside their goals. Nothing else should run on the machine meanwhile; all takes about ten minutes.

  NAME            one of ${Object.keys(benchmarks).join(', ')}; all unless given
  --only NAME     the same, may be repeated
  --agents N      agents at once in the benchmark of that name: 1000, each of 10 MB
  --cluster KIND  embedded, the default, or real: kube-apiserver and etcd (npm run cluster:build makes them)
  --write         writes the page to docs/benchmarks.md; with --only, these benchmarks alone are replaced in it
  --keep          keeps the logs of all parts, and says where they are
  --help          this text

Exit code: 0 all goals met, 1 a goal missed or something failed, 2 a wrong option.
`;

const startedMs = performance.now();
const sayIn =
  (name: string): Say =>
  (text) =>
    console.error(`${formatDuration(performance.now() - startedMs).padStart(12)}  ${name}: ${text}`);

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      only: { type: 'string', multiple: true },
      agents: { type: 'string', default: '1000' },
      cluster: { type: 'string', default: 'embedded' },
      write: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(help);
    return 0;
  }
  const named = [...positionals, ...(values.only ?? [])];
  const wanted = named.length > 0 ? named : Object.keys(benchmarks);
  const unknown = wanted.filter((name) => benchmarks[name] === undefined);
  if (unknown.length > 0) throw new RangeError(`no such benchmark: ${unknown.join(', ')}`);
  const { cluster } = values;
  if (cluster !== 'embedded' && cluster !== 'real') throw new RangeError(`--cluster: embedded or real, not ${cluster}`);
  const agents = Number(values.agents);
  if (!Number.isInteger(agents) || agents < 1) throw new RangeError(`--agents: a whole number, not ${values.agents}`);
  const dir = mkdtempSync(join(tmpdir(), 'serverless-kubelet-bench-'));
  try {
    return await runAll(wanted, { dir, cluster, agents, isWritten: values.write });
  } finally {
    if (values.keep) console.error(`logs: ${dir}`);
    else rmSync(dir, { recursive: true, force: true });
  }
}

interface RunOptions {
  readonly dir: string;
  readonly cluster: Rig['cluster'];
  readonly agents: number;
  readonly isWritten: boolean;
}

async function runAll(wanted: readonly string[], { dir, cluster, agents, isWritten }: RunOptions): Promise<number> {
  const machine = describeMachine(repository);
  sayIn('bundle')('app and relay');
  const bundles = { ...(await bundleInto(join(dir, 'bundles'))), cluster, agents };
  const sections: Section[] = [];
  let failures = 0;
  for (const name of wanted) {
    const say = sayIn(name);
    say('starts');
    try {
      const found = await benchmarks[name]?.(bundles, join(dir, name), say);
      for (const section of found ?? []) show(section, say);
      sections.push(...(found ?? []));
    } catch (error) {
      failures += 1;
      say(`FAILED: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    }
  }
  const taken = machine();
  console.log(renderPage(sections, taken));
  if (isWritten) writePage(sections, taken, wanted.length < Object.keys(benchmarks).length);
  for (const figure of missed(sections))
    console.error(`missed: ${figure.name}: ${formatValue(figure.value, figure.unit)}, goal ${formatGoal(figure)}`);
  return failures === 0 && missed(sections).length === 0 ? 0 : 1;
}

/** `isPart`: what was not measured now stays as it is on the page. */
function writePage(sections: readonly Section[], machine: Machine, isPart: boolean): void {
  const file = join(repository, 'docs', 'benchmarks.md');
  const renewed = isPart && existsSync(file);
  const page = renewed ? renewPage(readFileSync(file, 'utf8'), sections, machine) : renderPage(sections, machine);
  writeFileSync(file, page);
}

function show({ figures }: Section, say: Say): void {
  for (const figure of figures) {
    const goal = figure.goal === undefined ? '' : ` (${formatGoal(figure)}: ${verdictOf(figure)})`;
    say(`${figure.name}: ${formatValue(figure.value, figure.unit)}${goal}`);
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = error instanceof TypeError || error instanceof RangeError ? 2 : 1;
}
