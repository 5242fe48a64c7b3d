import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { PackagedAgent, Program } from '../../ports/packaged-agent.ts';
import { parseAgentPackage } from '../../wire/agent-package.ts';
import { checkedProgram } from './program.ts';

/** {@link PackagedAgent} in the first of these folders that has one. */
export function createPackagedAgent(folders: readonly string[]): PackagedAgent {
  let found: Promise<Found | undefined> | undefined;
  let program: Promise<Program | undefined> | undefined;
  const find = () => (found ??= findIn(folders));
  return {
    sha256: async () => (await find())?.sha256,
    read: () => (program ??= find().then((one) => one && readProgram(one))),
  };
}

/** Where it is from here: beside the bundle, whose parts are in a folder of their own, or in a working copy that was packaged. */
export const agentFolders = (here: string = import.meta.dirname): readonly string[] =>
  ['agent', '../agent', '../../../dist/app/agent'].map((path) => resolve(here, path));

interface Found {
  readonly folder: string;
  readonly sha256: string;
  readonly bytes: number;
}

async function findIn(folders: readonly string[]): Promise<Found | undefined> {
  for (const folder of folders) {
    const text = await readFile(join(folder, 'agent.json'), 'utf8').catch(() => undefined);
    const described = text === undefined ? undefined : parseAgentPackage(text);
    if (described !== undefined) return { folder, sha256: described.sha256, bytes: described.bytes };
  }
  return undefined;
}

async function readProgram({ folder, sha256, bytes }: Found): Promise<Program | undefined> {
  const gzip = await readFile(join(folder, 'sk.gz')).catch(() => undefined);
  return gzip && checkedProgram(sha256, gzip, bytes);
}
