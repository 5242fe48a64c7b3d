import { execFile } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import * as z from 'zod';
import type { Section } from '../figure.ts';
import type { Bundles } from '../rig/bundles.ts';
import { median, percentile } from '../statistics.ts';

interface Start {
  readonly tookMs: number;
  /** Of it, how long a processor worked for the process. */
  readonly processorMs: number;
  readonly wholeMs: number;
}

const run = promisify(execFile);
const probe = join(import.meta.dirname, '..', 'rig', 'import-probe.mjs');
const answer = z.object({
  tookMs: z.number(),
  processorMs: z.number(),
  registered: z.array(z.string()),
  files: z.record(z.string(), z.number()),
});

/** Fresh processes that count. One that waited for a processor reports the others on the machine, and is taken again. */
const processes = 21;
const mostTries = 60;
const warmUps = 2;
/** Part of its time that a process must have had a processor. */
const undisturbed = 0.9;

/** How long the app's code takes until its functions are registered, and how much of it is loaded by then. */
export async function measureImport(bundles: Bundles): Promise<Section> {
  const entry = join(bundles.app, 'index.js');
  const all: Start[] = [];
  const bare: number[] = [];
  const isUndisturbed = ({ tookMs, processorMs }: Start): boolean => processorMs >= tookMs * undisturbed;
  while (all.length < mostTries + warmUps && all.slice(warmUps).filter(isUndisturbed).length < processes) {
    const app = await timed([probe, entry]);
    all.push({ ...answer.parse(JSON.parse(app.output)), wholeMs: app.ms });
    bare.push((await timed(['--input-type=module', '--eval', "process.stdout.write('{}')"])).ms);
  }
  const tries = all.slice(warmUps);
  const quiet = tries.filter(isUndisturbed);
  const counted = quiet.length < processes ? tries : quiet;
  const imports = counted.map(({ tookMs }) => tookMs);
  const every = tries.map(({ tookMs }) => tookMs);
  const { registered, files } = answer.parse(JSON.parse((await timed([probe, entry, '--bytes'])).output));
  const appFiles = Object.entries(files).filter(([url]) => !url.endsWith('import-probe.mjs'));
  const bytes = appFiles.reduce((total, [, size]) => total + size, 0);
  const relay = readFileSync(bundles.relay);
  return {
    title: 'Start of a process',
    method: `${quiet.length < processes ? `${tries.length} fresh processes, of which fewer than ${processes} had a processor for nine tenths of the time` : `${quiet.length} fresh processes of ${tries.length}, those that had a processor for nine tenths of the time`}; warm file cache, the bundle as deployed, within the process from the first statement to the last registration.`,
    figures: [
      {
        name: `import until the ${registered.length} functions are registered, median`,
        value: median(imports),
        unit: 'ms',
        goal: { atMost: 40 },
        note: `p90 ${percentile(imports, 0.9).toFixed(0)} ms; of all ${tries.length}: median ${median(every).toFixed(0)} ms. A whole process ends ${(median(all.map(({ wholeMs }) => wholeMs)) - median(bare)).toFixed(0)} ms later than a bare one (${median(bare).toFixed(0)} ms)`,
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
