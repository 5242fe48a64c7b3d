import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { parseFault } from './fault.ts';
import type { CallFault } from '../../infra/local/sim/processes/counted-process.ts';
import type { Faults } from './fault.ts';
import { play } from './matrix.ts';
import { defaultSeed, freezeCases, freezeKinds, killCases, pairCount, pairGrid } from './points.ts';
import { families } from './jobs.ts';
import type { Family, Job, Report } from './jobs.ts';
import { findVariant, variants } from './variants.ts';
import type { Variant } from './variants/hands.ts';
import { defined } from '../../shared/core/defined.ts';

const partsOfThread = 20;
/** Of the failures; the rest is counted. */
const mostReported = 40;
const help = `npm run test:matrix -- [options]

Reports every pod's life of test/matrix/variants again and again: with a process killed before or after each of its
calls (kills), frozen before, in or after each call (freezes), and with both at once in two processes (pairs).

  --variant NAME     only this one; may be repeated
  --only FAMILY      kills, freezes or pairs; may be repeated
  --every N          each N-th point only
  --all              also the points at calls that are not about a pod (Node, Lease, bookkeeping)
  --workers N        threads; all cores unless given
  --list             the variants

One life again, call by call: --variant NAME with
  --kill 12[:before]           the first process dies after (before, inside) its 13th call
  --freeze 30:before[:42]      the second is frozen before (inside, after) its 31st call, for 90 (42) s
  --alone                      the first only begins when the freeze is over
  --seed N                     the order of their calls; ${defaultSeed} unless given
`;

const parsed = parseArgs({
  options: {
    variant: { type: 'string', multiple: true },
    only: { type: 'string', multiple: true },
    every: { type: 'string', default: '1' },
    all: { type: 'boolean', default: false },
    workers: { type: 'string', default: String(availableParallelism()) },
    list: { type: 'boolean', default: false },
    kill: { type: 'string' },
    freeze: { type: 'string' },
    alone: { type: 'boolean', default: false },
    seed: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const options = parsed.values;

if (options.help) console.log(help);
else if (options.list) for (const { name, sentence } of variants) console.log(`${name.padEnd(22)}${sentence}`);
else if (options.kill !== undefined || options.freeze !== undefined) process.exitCode = await replay();
else process.exitCode = await runAll();

function chosenVariants(): readonly Variant[] {
  if (options.variant === undefined) return variants;
  return options.variant.map((name) => {
    const found = findVariant(name);
    if (found === undefined) throw new Error(`there is no variant ${name}; see --list`);
    return found;
  });
}

function faultOf(kind: CallFault['kind'], text: string | undefined): CallFault | undefined {
  if (text === undefined) return undefined;
  const fault = parseFault(kind, text);
  if (fault === undefined) throw new Error(`--${kind} ${text} can't be read; see --help`);
  return fault;
}

/** Prints every call of one life; 1 when an oracle objects. */
async function replay(): Promise<number> {
  const [variant, ...others] = chosenVariants();
  if (variant === undefined || others.length > 0) throw new Error('name one --variant');
  const kill = faultOf('kill', options.kill);
  const freeze = faultOf('freeze', options.freeze);
  const faults: Faults = {
    ...defined({ kill, freeze }),
    isAlone: options.alone,
  };
  const isPair = freeze !== undefined || options.seed !== undefined;
  const outcome = await play(variant, {
    faults,
    ...(isPair ? { seed: Number(options.seed ?? defaultSeed) } : {}),
    onCall: ({ instance, index, name, args, answer }, life) => {
      const at = ((life.now - life.startedAt) / 1000).toFixed(3).padStart(8);
      const said = `${brief(args, 160)} => ${brief(answer, 160)}`;
      console.log(`${at} ${instance.name} ${String(index).padStart(4)} ${name.padEnd(22)} ${said}`);
    },
  });
  for (const { oracle, text } of outcome.violations) console.log(`${oracle}: ${text}`);
  if (outcome.isExempt) console.log('in the documented window: exempt from O2');
  return outcome.violations.length === 0 ? 0 : 1;
}

function brief(value: unknown, length: number): string {
  const text = JSON.stringify(value) ?? '';
  return text.length > length ? `${text.slice(0, length)}…` : text;
}

async function planJobs(): Promise<readonly Job[]> {
  const only = new Set<string>(options.only ?? families);
  const every = Number(options.every);
  const extent = { onlyPod: !options.all };
  const jobs: Job[] = [];
  const add = (job: Omit<Job, 'from' | 'to' | 'every' | 'all'>, count: number): void => {
    const step = 200 * every;
    for (let from = 0; from < count; from += step)
      jobs.push({ ...job, from, to: Math.min(count, from + step), every, all: options.all });
  };
  for (const variant of chosenVariants()) {
    const { name } = variant;
    if (only.has('kills'))
      add(
        { family: 'kills', variant: name, kind: 0 },
        (await killCases(variant, { distinct: !options.all })).cases.length,
      );
    for (const [kind, freeze] of only.has('freezes') ? freezeKinds.entries() : [])
      add({ family: 'freezes', variant: name, kind }, (await freezeCases(variant, freeze, extent)).length);
    if (only.has('pairs')) add({ family: 'pairs', variant: name, kind: 0 }, pairCount(await pairGrid(variant, extent)));
  }
  return jobs;
}

type Totals = Map<string, Record<Family, number> & { failed: number; exempt: number }>;

/** All lives on all cores; 1 when any of them failed. */
async function runAll(): Promise<number> {
  const startedAt = performance.now();
  const jobs = await planJobs();
  const totals: Totals = new Map();
  let failures = 0;
  let done = 0;
  const progress = (): void => {
    const text = `${done} of ${jobs.length} parts, ${failures} failures`;
    const isTenth = Math.floor((done * 10) / jobs.length) > Math.floor(((done - 1) * 10) / jobs.length);
    if (process.stderr.isTTY) process.stderr.write(`\r${text}`);
    else if (isTenth) process.stderr.write(`${text}\n`);
  };
  /** At once: all of it takes a quarter of an hour. */
  const reportFailure = (failure: string): void => {
    failures += 1;
    if (failures <= mostReported) console.log(failure);
  };
  const take = (report: Report): void => {
    const { variant, family } = report.job;
    const row = totals.get(variant) ?? { kills: 0, freezes: 0, pairs: 0, failed: 0, exempt: 0 };
    row[family] += report.lives;
    row.failed += report.failures.length;
    row.exempt += report.exempt;
    totals.set(variant, row);
    for (const { replay, violations } of report.failures) reportFailure(`${replay}\n    ${violations.join('\n    ')}`);
    done += 1;
    progress();
  };
  const queue = [...jobs];
  const workers = Math.min(Number(options.workers), jobs.length);
  await Promise.all(Array.from({ length: workers }, () => work(queue, take)));
  if (process.stderr.isTTY) process.stderr.write('\n');
  printTotals(totals, (performance.now() - startedAt) / 1000);
  if (failures > mostReported) console.log(`and ${failures - mostReported} more`);
  return failures === 0 ? 0 : 1;
}

/** One core takes one part after the other. */
async function work(queue: Job[], take: (report: Report) => void): Promise<void> {
  while (queue.length > 0) await workInThread(queue, take);
}

/**
 * A few parts in one thread: what a life leaves behind (signals of a clock that does not move, with their listeners) is kept as
 * long as its thread.
 */
function workInThread(queue: Job[], take: (report: Report) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('worker.ts', import.meta.url));
    let parts = 0;
    const next = (): void => {
      const job = parts < partsOfThread ? queue.shift() : undefined;
      parts += 1;
      if (job !== undefined) return worker.postMessage(job, []);
      void worker.terminate();
      resolve();
    };
    worker.on('message', (report: Report) => {
      take(report);
      next();
    });
    worker.on('error', reject);
    next();
  });
}

function printTotals(totals: Totals, seconds: number): void {
  const line = (cells: readonly (string | number)[]): string =>
    cells.map((cell, index) => (index === 0 ? String(cell).padEnd(22) : String(cell).padStart(9))).join('');
  console.log(line(['variant', 'kills', 'freezes', 'pairs', 'exempt', 'failed']));
  const sum = { kills: 0, freezes: 0, pairs: 0, failed: 0, exempt: 0 };
  for (const [name, row] of totals) {
    console.log(line([name, row.kills, row.freezes, row.pairs, row.exempt, row.failed]));
    for (const key of [...families, 'failed', 'exempt'] as const) sum[key] += row[key];
  }
  console.log(line(['all', sum.kills, sum.freezes, sum.pairs, sum.exempt, sum.failed]));
  console.log(`${seconds.toFixed(0)} s; exempt: in the documented window, from O2 alone (docs/architecture.md)`);
}
