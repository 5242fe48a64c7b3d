import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import type { CliContext } from '../context.ts';
import { lastLine } from '../program.ts';
import type { ProgramResult } from '../program.ts';
import { failure, wrongInput } from '../stop.ts';

export const releaseName = 'serverless-kubelet';

/** Which chart, and what the operator says of its values. */
export interface ChartWants {
  /** Undefined: the one that comes with the program. */
  readonly dir: string | undefined;
  readonly valueFiles: readonly string[];
  readonly set: readonly string[];
}

export interface ChartRun {
  readonly dir: string;
  readonly namespace: string;
  /** Those that follow from the registration; they win over the files, and --set wins over them. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly wants: Pick<ChartWants, 'valueFiles' | 'set'>;
}

/** The chart: the one given, or the one that comes with the program. */
export function findChart(given: string | undefined, here: string = import.meta.dirname): string {
  const places =
    given === undefined
      ? ['../chart', '../../chart', '../../../dist/chart'].map((path) => resolve(here, path))
      : [resolve(given)];
  const found = places.find((place) => existsSync(join(place, 'Chart.yaml')) && existsSync(join(place, 'files')));
  if (found !== undefined) return found;
  throw given === undefined
    ? wrongInput('the chart is not built yet', 'npm run build makes dist/chart; or give one with --chart DIR')
    : wrongInput(`${given} is no chart with a relay in it`, 'give dist/chart, which npm run build makes');
}

const oldestHelm = { major: 3, minor: 14 };

/** Refuses a helm that is too old for `--dry-run=server`. */
export async function checkHelm(context: CliContext): Promise<void> {
  const result = await context.helm(['version', '--template', '{{.Version}}']);
  const [, major = '0', minor = '0'] = /v(\d+)\.(\d+)/.exec(result.stdout) ?? [];
  const isOld =
    Number(major) < oldestHelm.major || (Number(major) === oldestHelm.major && Number(minor) < oldestHelm.minor);
  if (result.code !== 0 || isOld)
    throw wrongInput(
      `helm ${result.stdout.trim()} is too old`,
      `install ${oldestHelm.major}.${oldestHelm.minor} or newer (https://helm.sh/docs/intro/install/)`,
    );
}

const releaseSchema = z.looseObject({
  manifest: z.string().default(''),
  hooks: z.array(z.looseObject({ manifest: z.string().default('') })).nullish(),
  info: z.looseObject({ status: z.string(), last_deployed: z.string().nullish() }),
});
type Release = z.infer<typeof releaseSchema>;

/**
 * Whether the release is, object for object, what these values would make of it. Asks the API server, so that what the
 * chart looks up in the cluster is in it, and what values it refuses is reported before anything is changed.
 */
export async function isChartCurrent(context: CliContext, run: ChartRun): Promise<boolean> {
  const current = await readRelease(context, run.namespace);
  if (current !== undefined && isHalfDone(current)) {
    await judgeHalfDone(context, run, current);
    return false;
  }
  const planned = await dryRun(context, run);
  return current !== undefined && current.info.status === 'deployed' && textOf(current) === textOf(planned);
}

/** Manifest and hooks; what differs in comments and order of hooks is no difference. */
const textOf = ({ manifest, hooks }: Release): string =>
  [manifest, ...(hooks ?? []).map((hook) => hook.manifest).toSorted()].map((text) => text.trim()).join('\n---\n');

async function dryRun(context: CliContext, run: ChartRun): Promise<Release> {
  const result = await context.helm([...upgradeArgs(run), '--dry-run=server', '--output', 'json'], inputOf(run));
  if (result.code !== 0) throw chartStop(result);
  return releaseSchema.parse(JSON.parse(result.stdout));
}

/** helm refuses to upgrade such a release, tried or in earnest: its values are judged without it. Changes nothing. */
async function judgeHalfDone(context: CliContext, run: ChartRun, release: Release): Promise<void> {
  refuseYoung(release);
  const [, , ...args] = upgradeArgs(run);
  const result = await context.helm(['template', ...args, '--is-upgrade', '--dry-run=server'], inputOf(run));
  if (result.code !== 0) throw chartStop(result);
}

/** Installs or upgrades. Does not wait for pods. Idempotent; one that was interrupted is fixed first. */
export async function upgradeChart(context: CliContext, run: ChartRun): Promise<void> {
  await repairRelease(context, run.namespace);
  const result = await context.helm(upgradeArgs(run), inputOf(run));
  if (result.code !== 0) throw chartStop(result);
}

const upgradeArgs = ({ dir, namespace, wants }: ChartRun): string[] => [
  'upgrade',
  '--install',
  releaseName,
  dir,
  '--namespace',
  namespace,
  ...wants.valueFiles.flatMap((file) => ['--values', file]),
  '--values',
  '-',
  ...wants.set.flatMap((pair) => ['--set', pair]),
];

const inputOf = ({ values }: ChartRun) => ({ input: JSON.stringify(values), timeoutMs: 300_000 });

/** The release; undefined where there is none. */
export async function readRelease(context: CliContext, namespace: string): Promise<Release | undefined> {
  const result = await context.helm(['status', releaseName, '--namespace', namespace, '--output', 'json']);
  if (result.code !== 0) {
    if (/not found/i.test(result.stderr)) return undefined;
    throw chartStop(result);
  }
  return releaseSchema.parse(JSON.parse(result.stdout));
}

/** A helm that was killed amid its work leaves its release so, and every later upgrade is refused. */
const isHalfDone = ({ info: { status } }: Release): boolean =>
  status.startsWith('pending') || status === 'uninstalling';

/** A helm that takes longer is none any more. */
const halfDoneForMs = 120_000;

function refuseYoung({ info: { status, last_deployed: deployed } }: Release): void {
  // When an uninstall began is not reported, and a second one does no harm to it.
  if (status === 'uninstalling' || Date.now() - Date.parse(deployed ?? '') >= halfDoneForMs) return;
  throw failure(
    'another run of helm on this release is under way, or was interrupted a moment ago',
    'run the same command again in two minutes',
  );
}

/** Ends what a killed helm has left: takes a half installed release away, and a half upgraded one back. Idempotent. */
export async function repairRelease(context: CliContext, namespace: string): Promise<void> {
  const release = await readRelease(context, namespace);
  if (release === undefined || !isHalfDone(release)) return;
  refuseYoung(release);
  const isUpgrade = release.info.status === 'pending-upgrade' || release.info.status === 'pending-rollback';
  const args = [isUpgrade ? 'rollback' : 'uninstall', releaseName, '--no-hooks', '--namespace', namespace];
  const result = await context.helm(args);
  if (result.code !== 0) throw chartStop(result);
}

/** What the chart itself says of values is said in full; everything else by its last line. */
export function chartStop(result: ProgramResult): Error {
  const [, faults] = /These values cannot work:\n([\s\S]*?)(\n\n|$)/.exec(result.stderr) ?? [];
  if (faults !== undefined) {
    const list = faults.split('\n').map((line) => line.replace(/^\s*\*\s*/, '').trim());
    return wrongInput(`values of the chart: ${list.filter((line) => line !== '').join('; ')}`, 'fix --set or --values');
  }
  if (/don't meet the specifications of the schema/.test(result.stderr)) {
    const list = result.stderr.split('\n').filter((line) => /^\s*-\s/.test(line));
    return wrongInput(
      `values of the chart are of the wrong shape: ${list.map((line) => line.replace(/^\s*-\s*/, '').trim()).join('; ')}`,
      'fix --set or --values; values.yaml in the chart has the shape of each',
    );
  }
  if (/failed parsing --set|failed to parse|error converting YAML|no such file/i.test(result.stderr))
    return wrongInput(`helm: ${lastLine(result)}`, 'fix --set or --values');
  return failure(
    `helm failed: ${lastLine(result)}`,
    'run the same command again; helm status serverless-kubelet shows the release',
  );
}
