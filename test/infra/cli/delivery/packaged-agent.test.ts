import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPackagedAgent } from '../../../../infra/cli/delivery/packaged-agent.ts';
import { agentFiles, writeAgentFiles } from '../../../../infra/package/agent-package.ts';
import { filesOf } from '../../../../infra/package/files.ts';

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'packaged-agent-'));
  writeAgentFiles(join(root, 'dist', 'agent'), agentFiles(Buffer.from('a program'), '1.2.3'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const whole = (): string => join(root, 'dist', 'agent');

describe('the agent that the command line came with', () => {
  it.each(['cli', 'cli/chunks'])('is found beside dist/%s', (folder) => {
    mkdirSync(join(root, 'dist', folder), { recursive: true });
    const { version, image, tag } = readPackagedAgent(undefined, join(root, 'dist', folder));
    expect([version, tag]).toEqual(['1.2.3', `1.2.3-${image.digest.slice(7, 19)}`]);
    expect(image.blobs).toHaveLength(2);
  });

  it('is said to be missing', () => {
    expect(() => readPackagedAgent(undefined, join(root, 'elsewhere', 'cli'))).toThrow('this package has no agent');
    expect(() => readPackagedAgent(root)).toThrow(`${root} holds no package of the agent`);
  });

  it('is taken only where each of its blobs is what its digest names', () => {
    const blobs = filesOf(join(whole(), 'image', 'blobs'));
    expect(blobs).toHaveLength(3);
    for (const blob of blobs)
      for (const change of [(file: string) => rmSync(file), (file: string) => writeFileSync(file, 'other')]) {
        const copy = join(root, 'copy');
        rmSync(copy, { recursive: true, force: true });
        cpSync(whole(), copy, { recursive: true });
        change(join(copy, 'image', 'blobs', blob));
        expect(() => readPackagedAgent(copy)).toThrow(/is not whole, or of another version$/);
      }
  });

  it.each([
    ['no JSON', (): string => 'x'],
    ['another form', (text: string) => text.replace('"schemaVersion": 1', '"schemaVersion": 2')],
  ])('is not taken where its description is %s', (what, change) => {
    const copy = join(root, what);
    cpSync(whole(), copy, { recursive: true });
    writeFileSync(join(copy, 'agent.json'), change(readFileSync(join(copy, 'agent.json'), 'utf8')));
    expect(() => readPackagedAgent(copy)).toThrow(/is not whole/);
  });
});
