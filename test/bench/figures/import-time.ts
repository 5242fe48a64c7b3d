import { execFile } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import * as z from 'zod';
import type { Section } from '../figure.ts';
import type { Bundles } from '../rig/bundles.ts';
import { median, percentile } from '../statistics.ts';

const run = promisify(execFile);
const probe = join(import.meta.dirname, '..', 'rig', 'import-probe.mjs');
const answer = z.object({
  tookMs: z.number(),
  registered: z.array(z.string()),
  files: z.record(z.string(), z.number()),
});

/** Fresh processes for each of the two kinds, taken in turn so that a busy moment meets both. */
const processes = 21;
const warmUps = 2;

/** How long the app's code takes until its functions are registered, and how much of it is loaded by then. */
export async function measureImport(bundles: Bundles): Promise<Section> {
  const imports: number[] = [];
  const whole: number[] = [];
  const bare: number[] = [];
  for (let index = 0; index < processes + warmUps; index += 1) {
    const app = await timed([probe, bundles.app]);
    const nothing = await timed(['--input-type=module', '--eval', "process.stdout.write('{}')"]);
    if (index < warmUps) continue;
    imports.push(answer.parse(JSON.parse(app.output)).tookMs);
    whole.push(app.ms);
    bare.push(nothing.ms);
  }
  const { registered, files } = answer.parse(JSON.parse((await timed([probe, bundles.app, '--bytes'])).output));
  const appFiles = Object.entries(files).filter(([url]) => !url.endsWith('import-probe.mjs'));
  const bytes = appFiles.reduce((total, [, size]) => total + size, 0);
  const relay = readFileSync(bundles.relay);
  return {
    title: 'Start of a process',
    method: `${processes} fresh processes, warm file cache, the bundle as deployed; a worker on Flex starts the same way.`,
    figures: [
      {
        name: `import until the ${registered.length} functions are registered, median`,
        value: median(imports),
        unit: 'ms',
        goal: { atMost: 40 },
        note: `within the process, from the first statement to the last registration; p90 ${percentile(imports, 0.9).toFixed(0)} ms. The whole process ends ${(median(whole) - median(bare)).toFixed(0)} ms later than a bare one (${median(bare).toFixed(0)} ms)`,
      },
      {
        name: 'code loaded by then',
        value: bytes / 1e6,
        unit: 'MB',
        goal: { atMost: 1.5 },
        note: `${appFiles.length} ${appFiles.length === 1 ? 'file' : 'files'}, minified; Node's own modules not counted`,
      },
      {
        name: "the relay's bundle",
        value: statSync(bundles.relay).size / 1e6,
        unit: 'MB',
        note: `one file; ${(gzipSync(relay).length / 1000).toFixed(0)} kB with gzip`,
      },
    ],
  };
}

async function timed(args: readonly string[]): Promise<{ readonly ms: number; readonly output: string }> {
  const startedMs = performance.now();
  const { stdout } = await run(process.execPath, [...args], { env: {} });
  return { ms: performance.now() - startedMs, output: stdout };
}
