import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { PackagedAgent, Program } from '../../ports/packaged-agent.ts';
import { parseAgentPackage } from '../../wire/agent-package.ts';

const unpack = promisify(gunzip);

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

/** Unpacked once to compare it: what is handed out to be run has to be what groups were made for. */
async function readProgram({ folder, sha256, bytes }: Found): Promise<Program | undefined> {
  const gzip = await readFile(join(folder, 'sk.gz')).catch(() => undefined);
  if (gzip === undefined) return undefined;
  let whole: Promise<Uint8Array> | undefined;
  const unpacked = () => (whole ??= unpack(gzip, { maxOutputLength: bytes }));
  const isRight = await unpack(gzip, { maxOutputLength: bytes }).then(
    (content) => createHash('sha256').update(content).digest('hex') === sha256,
    () => false,
  );
  return isRight ? { sha256, gzip, unpacked } : undefined;
}
