/** `npm run detach`: takes the node out of the cluster for good, and says when nothing is left of it. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { createProgress } from '../cli/progress.ts';
import { apiAdministrator } from './up/api-administrator.ts';
import type { ApiAdministrator } from './up/api-administrator.ts';
import { readCloudRecord } from './up/cloud-record.ts';
import type { CloudRecord } from './up/cloud-record.ts';
import { readSettings, showCommand } from './up/command-line.ts';
import { writeSettings } from './up/host.ts';

const usage = `usage: npm run detach -- [--dir DIR]

Takes the nodes of a running \`npm start\` out of the cluster: their pods are deleted gracefully, their container groups
too, then Node and Lease, and none of them comes back. On a real cluster it is the command detach of the command line;
on the embedded one the nodes are marked as removed in the app's setting CLUSTERS.

  --dir DIR   the folder of that start (default .local)
  --help      this text`;

const patienceMs = 180_000;
const clustersSchema = z.array(z.looseObject({ nodes: z.array(z.looseObject({})) }));
const groupsSchema = z.object({ groups: z.array(z.unknown()) });

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { dir: { type: 'string', default: '.local' }, help: { type: 'boolean', short: 'h', default: false } },
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const dir = resolve(process.cwd(), values.dir);
  const record = readCloudRecord(dir);
  // A relay that is a process of this machine has no chart in the cluster.
  const chart = record.relay === 'process' ? ['--keep-chart'] : [];
  if (record.isAttached) return showCommand({ ...record, dir }, ['detach', ...chart]);
  markRemoved(dir);
  await createProgress().step('detach', (report) => waitUntilGone(record, report));
  return 0;
}

/** The state of a node is a setting; changing it restarts the app, as on Azure. */
function markRemoved(dir: string): void {
  const settings = readSettings(dir);
  const clusters = clustersSchema.parse(JSON.parse(settings['CLUSTERS'] ?? '[]'));
  const removed = clusters.map((cluster) => ({
    ...cluster,
    nodes: cluster.nodes.map((node) => ({ ...node, state: 'removed' })),
  }));
  writeSettings(dir, { ...settings, CLUSTERS: JSON.stringify(removed) });
}

async function waitUntilGone(record: CloudRecord, report: (detail: string) => void): Promise<void> {
  const administrator = apiAdministrator(readFileSync(record.kubeconfig, 'utf8'));
  const giveUpAt = Date.now() + patienceMs;
  for (;;) {
    const left = await whatIsLeft(record, administrator);
    report(left.length === 0 ? 'pods, groups, Node and Lease are gone' : `left: ${left.join(', ')}`);
    if (left.length === 0) return administrator.close();
    if (Date.now() > giveUpAt) throw new Error(`after three minutes there are left: ${left.join(', ')}`);
    await sleep(1000);
  }
}

async function whatIsLeft(record: CloudRecord, administrator: ApiAdministrator): Promise<string[]> {
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
