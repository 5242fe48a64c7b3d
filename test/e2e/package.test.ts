/** The package from two copies of the sources, in two places. */
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildInto } from '../../infra/package/build.ts';
import { filesOf, sameFolders } from '../../infra/package/files.ts';
import { packFolder } from '../../infra/package/zip.ts';

const repository = join(import.meta.dirname, '..', '..');
const sources = ['functions', 'shared', 'infra', 'host.json', 'package.json', 'tsconfig.json'];

let root = '';
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'package-'));
  for (const name of ['one', 'somewhere/else/two']) {
    const copy = join(root, name, 'clone');
    for (const source of sources) cpSync(join(repository, source), join(copy, source), { recursive: true });
    symlinkSync(join(repository, 'node_modules'), join(copy, 'node_modules'), 'junction');
    await buildInto(join(root, name, 'built'), copy);
  }
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const built = (name: string, part: string): string => join(root, name, 'built', part);

describe('two builds of the same sources in different folders', () => {
  it.each(['app', 'relay', 'chart', 'cli'])('give the same bytes of %s', (part) => {
    expect(filesOf(built('one', part)).length).toBeGreaterThan(0);
    expect(sameFolders(built('one', part), built('somewhere/else/two', part))).toBe(true);
  });
  it('give the same zip', () => {
    const [left, right] = ['one', 'somewhere/else/two'].map((name) => packFolder(built(name, 'app')));
    expect(Buffer.from(left ?? []).equals(Buffer.from(right ?? []))).toBe(true);
  });
});
