import { parentPort } from 'node:worker_threads';
import { play } from './matrix.ts';
import { failureOf, freezeCases, freezeKinds, killCases, pairAt, pairGrid } from './points.ts';
import type { Case, Failure } from './points.ts';
import type { Job, Report } from './jobs.ts';
import { findVariant } from './variants.ts';

/** How to get the n-th life of a job's family. */
async function casesOf(job: Job): Promise<(index: number) => Case> {
  const variant = findVariant(job.variant);
  if (variant === undefined) throw new Error(`no variant ${job.variant}`);
  const extent = { onlyPod: !job.all };
  if (job.family === 'pairs') {
    const grid = await pairGrid(variant, extent);
    return (index) => pairAt(grid, index);
  }
  const cases =
    job.family === 'kills'
      ? (await killCases(variant, { distinct: !job.all })).cases
      : await freezeCases(variant, freezeKinds[job.kind] ?? {}, extent);
  return (index) => {
    const found = cases[index];
    if (found === undefined) throw new Error(`${job.variant} has no ${job.family} ${index}`);
    return found;
  };
}

async function run(job: Job): Promise<Report> {
  const caseAt = await casesOf(job);
  const failures: Failure[] = [];
  let lives = 0;
  let exempt = 0;
  for (let index = job.from; index < job.to; index += job.every) {
    const one = caseAt(index);
    const outcome = await play(one.variant, one.setting);
    lives += 1;
    exempt += Number(outcome.isExempt);
    const failure = failureOf(one, outcome);
    if (failure !== undefined) failures.push(failure);
  }
  return { job, lives, exempt, failures };
}

parentPort?.on('message', (job: Job) => {
  void run(job).then((report) => parentPort?.postMessage(report, []));
});
