/** `dist/`, shared by all who work in one clone. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { agentSource, byGo } from './agent-binary.ts';
import type { AgentSource } from './agent-binary.ts';
import { withFileLock } from './file-lock.ts';
import { buildInto, describePackage } from './build.ts';
import { fingerprint, readOrEmpty, sameFolders } from './files.ts';
import { packFolder } from './zip.ts';

const folders = ['app', 'relay', 'chart', 'cli', 'agent', 'maps'] as const;
/** All that a bundle is made of; the lock file stands for the packages. */
const inputs = ['functions', 'shared', 'infra', 'host.json', 'package.json', 'package-lock.json', 'rolldown.config.ts'];

/**
 * Brings `dist/` of the repository up to date. Nothing is built when no source has changed since the last build. Else the
 * bundles are made beside it and moved in when they are whole and only where a byte differs: whoever reads a folder finds
 * the old one or the new one. One builds at a time; the others wait.
 */
export async function buildDist(repository: string): Promise<void> {
  await inDist(repository, (dist) => renew(dist, repository));
}

export interface AppPackage {
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** Hears why the agent, which could be made here, was not; absent: that is a fault of the whole. */
type OnNoAgent = (why: string) => void;

/** Brings `dist/` up to date and packs the app: `dist/serverless-kubelet-app-<version>.zip`, the same bytes from the same sources. */
export async function packageApp(repository: string, onNoAgent?: OnNoAgent): Promise<AppPackage> {
  return inDist(repository, async (dist) => {
    await renew(dist, repository, onNoAgent);
    const bytes = packFolder(join(dist, 'app'));
    const { name, version } = describePackage(repository);
    const file = join(dist, `${name}-app-${version}.zip`);
    writeFileSync(`${file}.new`, bytes);
    renameSync(`${file}.new`, file);
    return { file, bytes };
  });
}

async function inDist<T>(repository: string, work: (dist: string) => Promise<T>): Promise<T> {
  const dist = join(repository, 'dist');
  mkdirSync(dist, { recursive: true });
  return withFileLock(join(dist, '.lock'), () => work(dist));
}

async function renew(dist: string, repository: string, onNoAgent?: OnNoAgent): Promise<void> {
  for (const left of readdirSync(dist)) if (left.startsWith('.build-')) rmSync(join(dist, left), { recursive: true });
  const agent = await agentSource(repository);
  const sources = `${fingerprint(repository, inputs)} `;
  const now = `${sources}${agent?.id ?? 'no agent'}`;
  const record = join(dist, '.sources');
  const before = readOrEmpty(record);
  // Without Go, the agent that somebody has built of the same sources stays.
  const isCurrent = before === now || (agent === undefined && before.startsWith(`${sources}${byGo}`));
  if (isCurrent && existsSync(join(dist, 'app')) && existsSync(join(dist, 'relay'))) return;
  const built = mkdtempSync(join(dist, '.build-'));
  try {
    const program = await programOf(agent, onNoAgent);
    await buildInto(built, repository, program);
    for (const name of folders) replace(join(dist, name), join(built, name), join(built, `old-${name}`));
    // What failed is tried again.
    if (program !== undefined || agent === undefined) writeFileSync(record, now);
    else rmSync(record, { force: true });
  } finally {
    rmSync(built, { recursive: true, force: true });
  }
}

async function programOf(agent: AgentSource | undefined, onNoAgent?: OnNoAgent): Promise<Buffer | undefined> {
  try {
    return await agent?.program();
  } catch (error) {
    if (onNoAgent === undefined) throw error;
    onNoAgent(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

function replace(folder: string, by: string, aside: string): void {
  if (sameFolders(folder, by)) return;
  if (existsSync(folder)) renameSync(folder, aside);
  if (existsSync(by)) renameSync(by, folder);
}
