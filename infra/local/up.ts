/** `npm start`: the whole cloud on this machine, the examples, and then a shell's worth of things to try. */
import { resolve } from 'node:path';
import { interruption } from './interruption.ts';
import { createProgress, formatDuration } from '../cli/progress.ts';
import type { Progress } from '../cli/progress.ts';
import { startCloud } from './up/cloud.ts';
import type { Cloud } from './up/cloud.ts';
import { describeSkipped, removeExamples, runExamples } from './up/examples.ts';
import type { Abilities } from './up/examples.ts';
import { showCommand } from './up/command-line.ts';
import { defaultDir, parseUpOptions, usage } from './up/options.ts';
import type { UpOptions } from './up/options.ts';
import { describeTimeline, untilShown, watchTimelines } from './up/timeline.ts';
import { withStateLock } from './up/state-lock.ts';
import { worthTrying } from './up/worth-trying.ts';

const startedAt = performance.now();
const lingerMs = 3000;

async function main(): Promise<number> {
  const options = parseUpOptions(process.argv.slice(2), process.env);
  if (options.help) {
    console.log(usage);
    return 0;
  }
  return withStateLock(options.dir, () => run(options));
}

async function run(options: UpOptions): Promise<number> {
  const progress = createProgress();
  const interrupted = interruption(() => progress.line('stopping everything; Ctrl-C again ends it at once'));
  const starting = startCloud(options, progress);
  const started = await Promise.race([starting, interrupted]);
  if (started === 'interrupted') {
    await starting.then((cloud) => cloud.stop()).catch(() => undefined);
    return 130;
  }
  try {
    const over = work(started, options, progress, interrupted);
    const ended = await Promise.race([over, interrupted, started.failed.then((sentence) => ({ sentence }))]);
    if (ended === 'interrupted') return options.exit ? 130 : 0;
    if (typeof ended === 'number') return ended;
    console.error(ended.sentence);
    return 1;
  } finally {
    await progress.step('stop', () => started.stop());
  }
}

/** The examples, and unless `--exit` everything until Ctrl-C. */
async function work(
  cloud: Cloud,
  options: UpOptions,
  progress: Progress,
  interrupted: Promise<'interrupted'>,
): Promise<number> {
  const isFine = options.examples ? await tryExamples(cloud, progress) : true;
  await showStatus(cloud, options.dir);
  if (options.exit) return isFine ? 0 : 1;
  const isDefault = options.dir === resolve(process.cwd(), defaultDir);
  console.log(worthTrying(cloud, isDefault ? undefined : options.dir));
  await interrupted;
  return 0;
}

/** As `npm run status` does. What it finds is for the person; it ends nothing. */
async function showStatus({ cluster, kubeconfig }: Cloud, dir: string): Promise<void> {
  console.log('');
  await showCommand({ dir, kubeconfig, kubectl: cluster.kubectl }, ['status']);
}

async function tryExamples(cloud: Cloud, progress: Progress): Promise<boolean> {
  const { administrator } = cloud.cluster;
  const abilities: Abilities = {
    images: cloud.emulator === undefined || cloud.emulator.child.value.runtime === 'engine',
    controllers: cloud.cluster.kind !== 'embedded',
  };
  for (const line of describeSkipped(abilities)) progress.line(line);
  await progress.step('clean', () => removeExamples(administrator, abilities));
  const timelines = watchTimelines(administrator);
  const before = performance.now();
  const results = await runExamples(administrator, progress, abilities);
  await untilShown(timelines.pods, administrator);
  timelines.stop();
  for (const result of results)
    console.log(`\n── ${result.file}: ${result.ok ? 'as it should be' : 'FAILED'}\n${result.output.trim()}`);
  const pods = [...timelines.pods.values()];
  console.log(`\n${pods.map(describeTimeline).join('\n')}`);
  const first = Math.min(...pods.flatMap((pod) => pod.running ?? []));
  if (Number.isFinite(first))
    console.log(`\nfirst pod Running ${formatDuration(before - startedAt + first)} after the start`);
  return results.every((result) => result.ok);
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
// Whatever still holds this process open is of no use to anybody; children end with it.
setTimeout(() => process.exit(), lingerMs).unref();
