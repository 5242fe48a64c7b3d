/** `npm run detach`: takes the node out of the cluster for good, and says when nothing is left of it. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { createProgress } from '../cli/progress.ts';
import type { Administrator } from './up/administrator.ts';
import { apiAdministrator } from './up/api-administrator.ts';
import { kubectlAdministrator } from './up/kubectl-administrator.ts';
import { settingsFile, writeSettings } from './up/host.ts';

const usage = `usage: npm run detach -- [--dir DIR]

Marks the nodes of a running \`npm start\` as removed: their pods are deleted gracefully, their container groups too,
then Node and Lease, and none of them comes back.

  --dir DIR   the folder of that start (default .local)
  --help      this text`;

const patienceMs = 180_000;
const recordSchema = z.object({
  kubeconfig: z.string(),
  kubectl: z.string(),
  cluster: z.enum(['real', 'embedded', 'given']),
  nodes: z.array(z.string()),
  emulatorAdminUrl: z.string().optional(),
});
const settingsSchema = z.object({ Values: z.record(z.string(), z.string()) });
const clustersSchema = z.array(z.looseObject({ nodes: z.array(z.looseObject({})) }));
const groupsSchema = z.object({
  groups: z.array(z.looseObject({ tags: z.record(z.string(), z.string()).default({}) })),
});
type CloudRecord = z.infer<typeof recordSchema>;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { dir: { type: 'string', default: '.local' }, help: { type: 'boolean', short: 'h', default: false } },
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const dir = resolve(process.cwd(), values.dir);
  const record = recordSchema.parse(
    readJson(join(dir, 'cloud.json'), `no cloud runs in ${dir}: start one with npm start`),
  );
  markRemoved(dir);
  await createProgress().step('detach', (report) => waitUntilGone(record, report));
  return 0;
}

function readJson(file: string, absent: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    throw new Error(absent);
  }
}

/** The state of a node is a setting; changing it restarts the app, as on Azure. */
function markRemoved(dir: string): void {
  const file = settingsFile(dir);
  const settings = settingsSchema.parse(readJson(file, `${file} can't be read`));
  const clusters = clustersSchema.parse(JSON.parse(settings.Values['CLUSTERS'] ?? '[]'));
  const removed = clusters.map((cluster) => ({
    ...cluster,
    nodes: cluster.nodes.map((node) => ({ ...node, state: 'removed' })),
  }));
  writeSettings(dir, { ...settings.Values, CLUSTERS: JSON.stringify(removed) });
}

async function waitUntilGone(record: CloudRecord, report: (detail: string) => void): Promise<void> {
  const administrator = administratorOf(record);
  const giveUpAt = Date.now() + patienceMs;
  for (;;) {
    const left = await whatIsLeft(record, administrator);
    report(left.length === 0 ? 'pods, groups, Node and Lease are gone' : `left: ${left.join(', ')}`);
    if (left.length === 0) return administrator.close();
    if (Date.now() > giveUpAt) throw new Error(`after three minutes there are left: ${left.join(', ')}`);
    await sleep(1000);
  }
}

function administratorOf({ cluster, kubeconfig, kubectl }: CloudRecord): Administrator {
  return cluster === 'embedded'
    ? apiAdministrator(readFileSync(kubeconfig, 'utf8'))
    : kubectlAdministrator({ binary: kubectl, kubeconfig });
}

async function whatIsLeft(record: CloudRecord, administrator: Administrator): Promise<string[]> {
  const left: string[] = [];
  for (const name of record.nodes) {
    const { pods, node, lease } = await administrator.findRemains(name);
    if (pods > 0) left.push(`${pods} pods`);
    if (node) left.push(`node ${name}`);
    if (lease) left.push(`lease ${name}`);
  }
  const groups = await countGroups(record);
  if (groups > 0) left.push(`${groups} container groups`);
  return left;
}

/** Only the emulator is asked; with another ARM the Node goes last, when the app has seen no group of it there any more. */
async function countGroups(record: CloudRecord): Promise<number> {
  if (record.emulatorAdminUrl === undefined) return 0;
  const answer = await fetch(`${record.emulatorAdminUrl}/_emulator/groups`);
  return groupsSchema.parse(await answer.json()).groups.length;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
