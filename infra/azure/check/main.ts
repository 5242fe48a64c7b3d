/** `npm run check:bicep`: what the Bicep compiler says of infra/azure. */
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { parseArgs, stripVTControlCharacters } from 'node:util';
import { findCompiler } from './compiler.ts';
import type { Compiler } from './compiler.ts';
import { refusals } from './refusals.ts';
import type { Refusal } from './refusals.ts';

const usage = `usage: npm run check:bicep -- [--update]

Builds and lints infra/azure (bicepconfig.json chooses the rules; a warning is a fault), checks its format, compares each
parameter file with its committed snapshot, and tries parameters that the template has to refuse.

The compiler is the one that BICEP names, that is on the PATH, or that \`az bicep install\` brought.

  --update   write format and snapshots anew
  --help     this text`;

const folder = resolve(import.meta.dirname, '..');
/** A snapshot is of one place; names that Azure makes of ids follow from it. */
const place = `--subscription-id 00000000-0000-4000-8000-000000000000 --tenant-id 00000000-0000-4000-8000-000000000009
  --resource-group kubelet --location westeurope`.split(/\s+/);

/** One thing that was checked, and what is wrong with it. */
interface Check {
  readonly name: string;
  run(): Promise<readonly string[]>;
}

/** The compiler colours what it compares, wherever that goes. */
const linesOf = (text: string): readonly string[] =>
  stripVTControlCharacters(text)
    .split('\n')
    .filter((line) => line.trim() !== '');

const filesOf = (pattern: string): readonly string[] => globSync(pattern, { cwd: folder }).sort();

/** A warning ends a compiler's run with 0. */
function said(compiler: Compiler, name: string, args: readonly string[]): Check {
  return {
    name,
    run: async () => {
      const { code, stderr } = await compiler.run(args, folder);
      const lines = linesOf(stderr).map((line) => line.replaceAll(`${folder}/`, ''));
      return code === 0 || lines.length > 0 ? lines : [`${name}: exit code ${code}`];
    },
  };
}

function format(compiler: Compiler, file: string): Check {
  return {
    name: `format ${file}`,
    run: async () => {
      const { code, stdout, stderr } = await compiler.run(['format', file, '--stdout'], folder);
      if (code !== 0) return linesOf(stderr);
      const isSame = stdout === readFileSync(join(folder, file), 'utf8');
      return isSame ? [] : [`${file} is not as the compiler formats it: npm run check:bicep -- --update`];
    },
  };
}

function snapshot(compiler: Compiler, file: string): Check {
  return {
    name: `snapshot ${file}`,
    run: async () => {
      const { code, stdout, stderr } = await compiler.run(['snapshot', file, '--mode', 'validate', ...place], folder);
      if (code === 0 && stderr.trim() === '') return [];
      return [
        `${file} makes other resources than its snapshot says: npm run check:bicep -- --update, and read the difference`,
        ...linesOf(stdout),
        ...linesOf(stderr),
      ];
    },
  };
}

/** The template and its parts are copied, so that what is tried lies beside them and nowhere in the repository. */
function refusal(compiler: Compiler, copy: string, { name, parameters, sentence }: Refusal, index: number): Check {
  return {
    name: `refuses ${name}`,
    run: async () => {
      const file = `refusal-${index}.bicepparam`;
      writeFileSync(join(copy, file), `using 'main.bicep'\n\n${parameters}\n`);
      const { code, stderr } = await compiler.run(['snapshot', file, '--mode', 'overwrite', ...place], copy);
      if (code !== 0 && stderr.includes(sentence)) return [];
      return [`${name}: expected is "${sentence}", and it says: ${code === 0 ? 'nothing' : stderr.trim()}`];
    },
  };
}

async function update(compiler: Compiler): Promise<void> {
  for (const file of filesOf('{*,modules/*}.{bicep,bicepparam}')) await compiler.run(['format', file], folder);
  for (const file of filesOf('*.bicepparam')) {
    const { code, stderr } = await compiler.run(['snapshot', file, '--mode', 'overwrite', ...place], folder);
    if (code !== 0) throw new Error(stderr.trim());
    console.log(`written: ${file.replace('.bicepparam', '.snapshot.json')}`);
  }
}

const atOnce = 2;

async function check(compiler: Compiler): Promise<number> {
  const version = (await compiler.run(['--version'])).stdout.trim();
  console.log(`${version}  ${relative(process.cwd(), compiler.path)}`);
  const copy = mkdtempSync(join(tmpdir(), 'serverless-kubelet-bicep-'));
  try {
    for (const file of filesOf('**/*.{bicep,json}')) cpSync(join(folder, file), join(copy, file));
    const checks = [
      said(compiler, 'build main.bicep', ['build', 'main.bicep', '--outfile', join(copy, 'main.json')]),
      said(compiler, 'lint main.bicep', ['lint', 'main.bicep']),
      ...filesOf('{*,modules/*}.{bicep,bicepparam}').map((file) => format(compiler, file)),
      ...filesOf('*.bicepparam').map((file) => snapshot(compiler, file)),
      ...refusals.map((one, index) => refusal(compiler, copy, one, index)),
    ];
    return await runAll(checks);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

async function runAll(checks: readonly Check[]): Promise<number> {
  const left = [...checks];
  let failed = 0;
  const work = async (): Promise<void> => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) {
      const faults = await one.run();
      if (faults.length === 0) continue;
      failed += 1;
      console.error([`✗ ${one.name}`, ...faults].join('\n  '));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  console.log(`bicep: ${checks.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { update: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } },
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const compiler = findCompiler(process.env);
  if (compiler === undefined) {
    console.log(
      'not checked: build, lint, format, snapshots and refusals of infra/azure. There is no Bicep compiler: az bicep install brings one, or name one with BICEP',
    );
    return 0;
  }
  if (values.update) await update(compiler);
  return check(compiler);
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
