/** Folders that a stranger enters first open with an account of themselves, whose example is run here. */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { golden } from '../fixtures/golden.ts';
import { brokenLinks, pathsNamed, read, root } from './documents.ts';

const folders = [
  'shared/core/pod',
  'shared/core/agent',
  'shared/core/reconcile',
  'shared/core/status',
  'shared/adapters',
  'infra/cluster/relay',
  'infra/cli',
  'infra/local/sim',
];

const example = /^```ts\n([\s\S]*?)^```\n/m;
const printed = /(^```ts\n[\s\S]*?^```\n)(?:\n```text\n[\s\S]*?^```\n)?/m;

/** The output of the example, which imports as if it was in its folder. */
async function run(folder: string, code: string): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'account-'));
  const file = join(dir, 'example.mts');
  const base = pathToFileURL(join(root, folder, '/'));
  writeFileSync(
    file,
    code.replaceAll(/(?<=from ')\.{1,2}\/[^']+(?=')/g, (path) => new URL(path, base).href),
  );
  try {
    return (await promisify(execFile)(process.execPath, [file])).stdout;
  } finally {
    rmSync(dir, { recursive: true });
  }
}

describe('the account of', () => {
  it.each(folders)('%s leads to what is there', (folder) => {
    const file = join(folder, 'README.md');
    const text = read(file);
    expect(brokenLinks(file, text)).toEqual([]);
    expect(pathsNamed(text).filter((path) => !existsSync(join(root, path)))).toEqual([]);
    expect(text.split('\n').length).toBeLessThanOrEqual(60);
  });

  it.each(folders)('%s has an example that prints what it says', async (folder) => {
    const file = join(folder, 'README.md');
    const text = read(file);
    const output = await run(folder, example.exec(text)?.[1] ?? 'throw new Error("no example")');
    const expected = text.replace(printed, (_, code: string) => `${code}\n\`\`\`text\n${output}\`\`\`\n`);
    expect(golden(join(root, file), expected)).toBe(expected);
  });
});
